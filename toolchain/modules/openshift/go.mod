module understudy.invalid/toolchain/openshift

go 1.26.0

require github.com/openshift/api v0.0.0-20260805215214-cfb63858e9d7
