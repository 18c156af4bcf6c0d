// Command mongodb-stand-in speaks MongoDB's wire protocol in the lab, where MongoDB itself is not to be had: FerretDB over
// SQLite. It keeps the part of mongod's contract that Berth relies on: the options --bind_ip, --port and --dbpath, and
// the user of MONGO_INITDB_ROOT_USERNAME and MONGO_INITDB_ROOT_PASSWORD in the database admin. Every client must be that user.
//
// FerretDB's own package for embedding cannot ask for a password, and its command refuses to be built as a dependency. So
// this starts it as that command does, from packages that only modules below its own path may import: hence the
// module's name.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/FerretDB/FerretDB/internal/clientconn"
	"github.com/FerretDB/FerretDB/internal/clientconn/connmetrics"
	"github.com/FerretDB/FerretDB/internal/handler/registry"
	"github.com/FerretDB/FerretDB/internal/util/password"
	"github.com/FerretDB/FerretDB/internal/util/state"
)

func main() {
	address := flag.String("bind_ip", "127.0.0.1", "address to listen on")
	port := flag.String("port", "27017", "port to listen on")
	folder := flag.String("dbpath", "/data/db", "folder of the data")
	flag.Parse()
	if err := serve(net.JoinHostPort(*address, *port), *folder); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(address, folder string) error {
	user, secret := os.Getenv("MONGO_INITDB_ROOT_USERNAME"), os.Getenv("MONGO_INITDB_ROOT_PASSWORD")
	if user == "" || secret == "" {
		return fmt.Errorf("MONGO_INITDB_ROOT_USERNAME and MONGO_INITDB_ROOT_PASSWORD must be set")
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	provider, err := state.NewProvider("")
	if err != nil {
		return err
	}
	// Nothing reports to anyone from here; this keeps it from saying so to every client.
	if err := provider.Update(func(s *state.State) {
		s.DisableTelemetry()
		s.TelemetryLocked = true
	}); err != nil {
		return err
	}
	metrics := connmetrics.NewListenerMetrics()
	handler, closeBackend, err := registry.NewHandler("sqlite", &registry.NewHandlerOpts{
		Logger:        logger,
		ConnMetrics:   metrics.ConnMetrics,
		StateProvider: provider,
		TCPHost:       address,
		SetupDatabase: "admin",
		SetupUsername: user,
		SetupPassword: password.WrapPassword(secret),
		SetupTimeout:  time.Minute,
		SQLiteURL:     (&url.URL{Scheme: "file", Opaque: folder + "/"}).String(),
		TestOpts: registry.TestOpts{
			EnableNewAuth:           true,
			CappedCleanupPercentage: 10,
			BatchSize:               100,
			MaxBsonObjectSizeBytes:  16 * 1024 * 1024,
		},
	})
	if err != nil {
		return fmt.Errorf("%s: %w", folder, err)
	}
	defer closeBackend()
	listener, err := clientconn.Listen(&clientconn.NewListenerOpts{
		TCP:     address,
		Mode:    clientconn.NormalMode,
		Metrics: metrics,
		Handler: handler,
		Logger:  logger,
	})
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	fmt.Printf("listening on %s\n", address)
	listener.Run(ctx)
	return nil
}
