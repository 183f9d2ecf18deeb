# Targets over scripts; `go run ./cmd/chartwarden demo` and `./scripts/test` need no make.
.PHONY: test demo generate bench crash nodes leave pairs decision long-line replay-bench tsv-bench detection-results
test:
	./scripts/test
demo:
	go run ./cmd/chartwarden demo
generate:
	./scripts/generate
bench:
	./scripts/bench
crash:
	CRASH_ROUNDS=50 go test -count=1 -timeout 60m -run 'TestKill' ./internal/server/...
nodes:
	go test -run '^$$' -bench Nodes -benchtime 20x ./internal/server
leave:
	go test -run '^$$' -bench Leave -benchtime 20x -timeout 30m ./internal/server
decision:
	go test ./internal/access -run "^$$" -bench Hospital -benchtime 50000x -timeout 60m
	CHARTWARDEN_TEST_ENGINE=postgres go test ./internal/access -run "^$$" -bench Hospital -benchtime 50000x -timeout 60m
pairs:
	FILTER_PAIRS=5000000 go test -count=1 -v -timeout 60m -run ASearchGivesWhat ./internal/access
	CHARTWARDEN_TEST_ENGINE=postgres FILTER_PAIRS=5000000 go test -count=1 -v -timeout 60m -run ASearchGivesWhat ./internal/access
long-line:
	CHARTWARDEN_LONG_LINE=2048 go test -count=1 -v -run Gigabytes ./internal/ingest
replay-bench:
	./scripts/bench replay
tsv-bench:
	./scripts/tsv-bench
detection-results:
	./scripts/bench detection --seeds 701,702,703,704,705
