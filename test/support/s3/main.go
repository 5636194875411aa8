// An S3-compatible store for tests: it keeps everything in memory, listens on the address that it is given or on
// loopback alone, prints where it is, and ends when its standard input does.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// backend makes buckets that are first asked for by two requests at once without refusing one of them.
type backend struct{ *s3mem.Backend }

func (b backend) CreateBucket(name string) error {
	err := b.Backend.CreateBucket(name)
	if gofakes3.HasErrorCode(err, gofakes3.ErrBucketAlreadyExists) {
		return nil
	}
	return err
}

func main() {
	address := "127.0.0.1:0"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	store := gofakes3.New(backend{s3mem.New()}, gofakes3.WithAutoBucket(true))
	go func() { log.Fatal(http.Serve(listener, store.Server())) }()
	fmt.Printf("http://%s\n", listener.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
}
