// Command kms-go is the peer of the plugin's benchmark: the same AES-256-GCM envelope, with its key in memory, behind
// upstream's own gRPC service. Its only argument is the path of its socket.
package main

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"log"
	"os"
	"time"

	"k8s.io/kms/pkg/service"
)

const (
	keyID           = "kek-00000000000000000000000000000000"
	annotation      = "envelope.kms.understudy.dev"
	annotationValue = "aes-256-gcm.v1"
)

// bound is the associated data of plugin/kek.ts.
func bound() []byte {
	var data []byte
	for _, part := range []string{keyID, annotation, annotationValue} {
		data = append(binary.BigEndian.AppendUint32(data, uint32(len(part))), part...)
	}
	return data
}

type plugin struct {
	aead  cipher.AEAD
	bound []byte
}

func (p plugin) Status(context.Context) (*service.StatusResponse, error) {
	return &service.StatusResponse{Version: "v2", Healthz: "ok", KeyID: keyID}, nil
}

func (p plugin) Encrypt(_ context.Context, _ string, plaintext []byte) (*service.EncryptResponse, error) {
	nonce := make([]byte, p.aead.NonceSize(), p.aead.NonceSize()+len(plaintext)+p.aead.Overhead())
	rand.Read(nonce)
	return &service.EncryptResponse{
		Ciphertext:  p.aead.Seal(nonce, nonce, plaintext, p.bound),
		KeyID:       keyID,
		Annotations: map[string][]byte{annotation: []byte(annotationValue)},
	}, nil
}

func (p plugin) Decrypt(_ context.Context, _ string, request *service.DecryptRequest) ([]byte, error) {
	size := p.aead.NonceSize()
	if len(request.Ciphertext) < size {
		return nil, errors.New("ciphertext too short")
	}
	return p.aead.Open(nil, request.Ciphertext[:size], request.Ciphertext[size:], p.bound)
}

func main() {
	key := make([]byte, 32)
	rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		log.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(service.NewGRPCService(os.Args[1], 5*time.Second, plugin{aead, bound()}).ListenAndServe())
}
