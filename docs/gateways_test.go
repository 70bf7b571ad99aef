package docs_test

import (
	"context"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/receipt"
)

// The page names every type of gateway and every preset.
func TestTheGatewaysAreAsDocumented(t *testing.T) {
	page, err := os.ReadFile("sms.md")
	if err != nil {
		t.Fatal(err)
	}
	reference, err := os.ReadFile("configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| `type` \\| ([^|]*) \\|$").FindStringSubmatch(string(reference))
	if row == nil {
		t.Fatal("configuration.md has no row of types")
	}
	wanted, seen := map[string]bool{}, map[string]bool{}
	for _, name := range regexp.MustCompile(`[a-z]{3,}`).FindAllString(strings.ReplaceAll(row[1], " or ", " "), -1) {
		wanted["type "+name] = true
	}
	err = filepath.WalkDir("../smsgateway", func(name string, _ fs.DirEntry, err error) error {
		if preset, is := strings.CutSuffix(filepath.Base(name), ".jsonnet"); is && filepath.Base(filepath.Dir(name)) == "presets" {
			wanted["preset "+preset] = true
		}
		return err
	})
	if err != nil || len(wanted) < 15 {
		t.Fatalf("%v: %v", wanted, err)
	}
	_, types, _ := strings.Cut(string(page), "\n| type |")
	types, _, _ = strings.Cut(types, "\n\n")
	_, presets, _ := strings.Cut(string(page), "\n| `preset` |")
	presets, _, _ = strings.Cut(presets, "\n\n")
	for kind, table := range map[string]string{"type ": types, "preset ": presets} {
		for _, line := range strings.Split(table, "\n")[1:] {
			names, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " |")
			for _, name := range regexp.MustCompile("`([a-z0-9]+)`").FindAllStringSubmatch(names, -1) {
				what := kind + name[1]
				if kind == "preset " && strings.Contains(line, "| yours |") {
					what = "type " + name[1] // its answers alone
				}
				if !wanted[what] {
					t.Errorf("there is no %s", what)
				}
				seen[what] = true
			}
		}
	}
	for name := range wanted {
		if !seen[name] {
			t.Errorf("sms.md lacks %s", name)
		}
	}
}

// kept is the last receipt that was taken.
type kept struct{ message.Receipt }

func (k *kept) Record(_ context.Context, r message.Receipt) error {
	k.Receipt = r
	return nil
}

// Each status that the page lists for a provider of one's own means what it says.
func TestStatusesOfReceiptsAreAsDocumented(t *testing.T) {
	page, err := os.ReadFile("sms.md")
	if err != nil {
		t.Fatal(err)
	}
	const secret = "a-long-random-secret"
	kind, _ := provider.ForType("http")
	reader := receipt.Reader{Format: kind.Receipts, Secret: secret}
	var last kept
	receipts := receipt.New(receipt.Options{
		Readers: map[string]receipt.Reader{"main": reader}, Store: &last, Now: time.Now, BaseURL: "https://id.example.com",
	})
	for label, want := range map[string]message.ReceiptState{
		"on its way": message.ReceiptAccepted, "delivered": message.ReceiptDelivered, "undelivered": message.ReceiptUndelivered,
	} {
		line := regexp.MustCompile("(?m)^- " + label + ": (.+)$").FindStringSubmatch(string(page))
		if line == nil {
			t.Errorf("no statuses are listed as %s", label)
			continue
		}
		for _, status := range strings.Split(line[1], ", ") {
			last = kept{}
			report := "/sms/receipts/main?id=m&secret=" + secret + "&status=" + status
			if err := receipts.Receive(httptest.NewRequestWithContext(t.Context(), http.MethodGet, report, http.NoBody), "main"); err != nil || last.State != want {
				t.Errorf("%s is %v, %v; the page says %s", status, last.State, err, label)
			}
		}
	}
}
