package harness

import (
	"os"
	"path/filepath"
	"testing"
)

// Report says what a test measured: in its log, and in a file of the folder that
// HOLDLINE_REPORTS names, because `go test` shows the log of failures only.
func Report(t testing.TB, name, text string) {
	t.Helper()
	t.Log(text)
	folder := os.Getenv("HOLDLINE_REPORTS")
	if folder == "" {
		return
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".txt"), []byte(text+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}
