// An S3-compatible store for tests: it keeps everything in memory, listens on loopback alone, prints its address, and
// ends when its standard input does.
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

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	store := gofakes3.New(s3mem.New(), gofakes3.WithAutoBucket(true))
	go func() { log.Fatal(http.Serve(listener, store.Server())) }()
	fmt.Printf("http://%s\n", listener.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
}
