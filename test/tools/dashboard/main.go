// Reads Grafana dashboards as Grafana's own published schema has them. Prints what is wrong, a line each, and exits with 1 where anything is.
//
// Known to the schema is not enough for a panel's options and its queries: the schema keeps those of a type that it does not know as they are.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/statetimeline"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// What our dashboards are made of. The schema's own list of all takes minutes to compile.
func register() {
	runtime := cog.NewRuntime()
	runtime.RegisterPanelcfgVariant(stat.VariantConfig())
	runtime.RegisterPanelcfgVariant(statetimeline.VariantConfig())
	runtime.RegisterPanelcfgVariant(table.VariantConfig())
	runtime.RegisterPanelcfgVariant(timeseries.VariantConfig())
	runtime.RegisterDataqueryVariant(prometheus.VariantConfig())
}

// The schema returns a list of errors even where it is empty, which is no nil.
func saysNothing(err error) bool {
	var list cog.BuildErrors
	return err == nil || (errors.As(err, &list) && len(list) == 0)
}

func problemsOfPanel(panel dashboard.Panel) []string {
	title := "a panel without a title"
	if panel.Title != nil {
		title = fmt.Sprintf("panel %q", *panel.Title)
	}
	if _, known := cog.ConfigForPanelcfgVariant(panel.Type); !known {
		return []string{fmt.Sprintf("%s: panel type %q is not registered here, or not in the schema", title, panel.Type)}
	}
	var problems []string
	for index, target := range panel.Targets {
		switch target.(type) {
		case prometheus.Dataquery, *prometheus.Dataquery:
		default:
			problems = append(problems, fmt.Sprintf("%s: query %d is no query of Prometheus", title, index))
		}
	}
	return problems
}

func problemsOf(raw []byte) []string {
	var strict, read dashboard.Dashboard
	if err := strict.UnmarshalJSONStrict(raw); !saysNothing(err) {
		return strings.Split(err.Error(), "\n")
	}
	// Strict reading takes its own empty list for an error, and leaves all panels out of what it has read.
	if err := json.Unmarshal(raw, &read); err != nil {
		return []string{err.Error()}
	}
	if err := read.Validate(); !saysNothing(err) {
		return strings.Split(err.Error(), "\n")
	}
	var problems []string
	count := 0
	for _, item := range read.Panels {
		var panels []dashboard.Panel
		if item.Panel != nil {
			panels = append(panels, *item.Panel)
		}
		if item.RowPanel != nil {
			panels = append(panels, item.RowPanel.Panels...)
		}
		for _, panel := range panels {
			problems = append(problems, problemsOfPanel(panel)...)
			count++
		}
	}
	if count == 0 {
		problems = append(problems, "it has no panels")
	}
	return problems
}

func main() {
	register()
	failed := len(os.Args) < 2
	if failed {
		fmt.Fprintln(os.Stderr, "name dashboards to read")
	}
	for _, path := range os.Args[1:] {
		raw, err := os.ReadFile(path)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			failed = true
			continue
		}
		for _, problem := range problemsOf(raw) {
			fmt.Printf("%s: %s\n", path, problem)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}
