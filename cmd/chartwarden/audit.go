package main

import (
	"context"
	"io"

	"chartwarden/internal/outcome"
)

func auditLog(ctx context.Context, args []string, out io.Writer) error {
	return outcome.New(outcome.NotSupported, "not yet")
}
