package docs_test

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The commands that install.md has for a fresh PostgreSQL, between those of getting-started.md:
// its configuration before, its change of a number after. The server is a private one instead
// of the package's, and sudo lets its administrator in.
func TestAFreshPostgreSQLHoldsANumberBack(t *testing.T) {
	requireKratos(t)
	server := os.Getenv("TEST_POSTGRES_DSN")
	if server == "" {
		if os.Getenv("CI") != "" || slices.Contains(strings.Split(os.Getenv("HOLDLINE_REQUIRE_DATABASES"), ","), "postgres") {
			t.Fatal("TEST_POSTGRES_DSN names no PostgreSQL, and is required here")
		}
		t.Skip("TEST_POSTGRES_DSN names no PostgreSQL: run `e2e/with-databases.sh postgres go test ./docs`")
	}
	at, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	p := newPlace(t)
	administrator := fmt.Sprintf("PGHOST=%s PGPORT=%s PGUSER=postgres PGPASSWORD=root", at.Hostname(), at.Port())
	forget := func() {
		drop := exec.Command("sh", "-c", administrator+` psql --quiet --command="DROP DATABASE IF EXISTS holdline WITH (FORCE)" --command="DROP ROLE IF EXISTS holdline"`)
		if printed, err := drop.CombinedOutput(); err != nil {
			t.Errorf("forget: %v: %s", err, printed)
		}
	}
	forget()
	t.Cleanup(forget)
	sudo := "#!/bin/sh\ncase $1 in\napt-get) command -v psql >/dev/null ;;\n-u) shift 2; exec env " + administrator + " \"$@\" ;;\nesac\n"
	if err := os.WriteFile(filepath.Join(p.dir, "sudo"), []byte(sudo), 0o700); err != nil {
		t.Fatal(err)
	}
	p.run(t, `export PATH="$PWD:$PATH"`)

	begin, install := documentNamed(t, "docs/getting-started.md"), documentNamed(t, "docs/install.md")
	serve := slices.IndexFunc(begin.blocks, func(b block) bool { return strings.HasPrefix(b.text, "holdline serve") })
	fresh := slices.IndexFunc(install.blocks, func(b block) bool { return strings.Contains(b.attributes["skip"], t.Name()) })
	if serve < 0 || fresh < 0 {
		t.Fatal("the commands are not there")
	}
	p.do(t, begin.name, begin.blocks[:serve])
	steps := strings.Split(strings.TrimSpace(strings.ReplaceAll(install.blocks[fresh].text, "127.0.0.1:5432", at.Host)), "\n")
	if len(steps) != 5 {
		t.Errorf("%d commands, want 5", len(steps))
	}
	for _, step := range steps[:len(steps)-1] {
		p.run(t, step)
	}
	p.start(t, steps[len(steps)-1], "listening public=")
	p.do(t, begin.name, begin.blocks[serve+1:])
	if said := p.run(t, administrator+` psql --tuples-only --no-align --dbname=holdline --command="SELECT state FROM claims"`); !strings.Contains(said, "applied") {
		t.Errorf("PostgreSQL has %q", said)
	}
}

func documentNamed(t *testing.T, name string) document {
	t.Helper()
	all := documents(t)
	i := slices.IndexFunc(all, func(d document) bool { return d.name == name })
	if i < 0 {
		t.Fatalf("there is no %s", name)
	}
	return all[i]
}
