package deploy_test

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// stages reads the Dockerfile as BuildKit does; whatever its linter says fails
// the test.
func stages(t *testing.T) []instructions.Stage {
	t.Helper()
	ast, err := parser.Parse(strings.NewReader(read(t, "../Dockerfile")))
	if err != nil {
		t.Fatal(err)
	}
	for _, warning := range ast.Warnings {
		t.Errorf("parser: %s", warning.Short)
	}
	lint := linter.New(&linter.Config{Warn: func(rule, _, _, msg string, at []parser.Range) {
		t.Errorf("%s: %s at %v", rule, msg, at)
	}})
	found, _, err := instructions.Parse(ast.AST, lint)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestTheImageHoldsTheProgramAlone(t *testing.T) {
	last := stages(t)[len(stages(t))-1]
	wantEqual(t, "base", last.BaseName, "scratch")
	var user, entry string
	var copied []string
	for _, command := range last.Commands {
		switch c := command.(type) {
		case *instructions.UserCommand:
			user = c.User
		case *instructions.EntrypointCommand:
			entry = c.CmdLine[0]
		case *instructions.CopyCommand:
			copied = append(copied, c.DestPath)
		case *instructions.RunCommand:
			t.Error("there is no shell to RUN anything with")
		}
	}
	// Numeric, so that Kubernetes can see that it is not root.
	wantEqual(t, "user", user, "65532:65532")
	if !slices.Contains(copied, entry) || !slices.Contains(copied, "/etc/ssl/certs/ca-certificates.crt") {
		t.Errorf("copied: %v; entry point %s and the certificates must be among them", copied, entry)
	}
}

// What is copied from the checkout is there, and what is copied from an earlier
// stage is made there.
func TestWhatTheImageCopiesExists(t *testing.T) {
	all := stages(t)
	made := ""
	for _, stage := range all {
		for _, command := range stage.Commands {
			switch c := command.(type) {
			case *instructions.RunCommand:
				made += strings.Join(c.CmdLine, " ") + "\n"
			case *instructions.CopyCommand:
				for _, source := range c.SourcePaths {
					_, earlier := instructions.HasStage(all, c.From)
					switch {
					case c.From == "":
						if _, err := os.Stat(filepath.Join("..", source)); err != nil {
							t.Errorf("COPY: %v", err)
						}
					case !earlier:
						t.Errorf("COPY --from=%s: there is no such stage", c.From)
					case strings.HasPrefix(source, "/out/") && !strings.Contains(made, source):
						t.Errorf("COPY --from=%s %s: nothing makes it", c.From, source)
					}
				}
			}
		}
	}
}

// The build in the image sees the whole history, and no tracked file is missing:
// else the program would call itself modified.
func TestTheImagesBuildIgnoresNoTrackedFile(t *testing.T) {
	for _, pattern := range strings.Split(read(t, "../.dockerignore"), "\n") {
		pattern = strings.TrimSpace(pattern)
		if pattern == "" || strings.HasPrefix(pattern, "#") {
			continue
		}
		if pattern == ".git" || strings.ContainsAny(pattern, "*?!") {
			t.Errorf("%s: is the history, or more than this test can judge", pattern)
		}
		tracked, err := exec.Command("git", "-C", "..", "ls-files", "--", pattern).Output()
		if err != nil {
			t.Skip("no history here to compare with")
		}
		if len(bytes.TrimSpace(tracked)) > 0 {
			t.Errorf("%s: tracked files are ignored:\n%s", pattern, tracked)
		}
	}
}

// The program is one file that needs nothing of a system.
func TestTheProgramIsStatic(t *testing.T) {
	file, err := elf.Open(program(t, "HOLDLINE_BIN"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, segment := range file.Progs {
		if segment.Type == elf.PT_INTERP {
			t.Error("the program needs a dynamic loader, which a scratch image does not have")
		}
	}
}
