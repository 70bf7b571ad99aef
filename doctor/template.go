package doctor

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/google/go-jsonnet"
	"golang.org/x/sync/errgroup"
)

// patience is how long a template of one's own may take. One that takes longer is
// abandoned, and not tried again; the command ends soon after.
const patience = 2 * time.Second

// deepestCalls is as deep as Kratos lets calls be.
const deepestCalls = 500

// cancels is what Kratos looks for in a template's error (request/builder.go).
var cancels = (&jsonnet.RuntimeError{Msg: "cancel"}).Error()

var (
	errCancelled = errors.New("the template cancels the call")
	errElsewhere = errors.New("it is kept at a URL")
	errSlow      = errors.New("it does not come to an end")
)

// source reads a hook's jsonnet, as Kratos finds it: at base64:// or file://, or
// at the name of a file.
func (f *File) source(body string) (string, error) {
	switch scheme, rest, found := strings.Cut(body, "://"); {
	case body == "":
		return "", errors.New("there is none")
	case found && scheme == "base64":
		source, err := base64.StdEncoding.DecodeString(rest)
		if err != nil {
			return "", errors.New("it is not base64")
		}
		return string(source), nil
	case found && scheme != "file":
		return "", errElsewhere
	}
	source, err := os.ReadFile(f.resolve(body))
	if err != nil {
		return "", fmt.Errorf("it cannot be read from here: %w", err)
	}
	return string(source), nil
}

// evaluate does with a template what Kratos does, for one flow. It reads no files
// beside.
func evaluate(source string, flow map[string]any) (map[string]any, error) {
	ctx, err := json.Marshal(flow)
	if err != nil {
		return nil, err
	}
	type outcome struct {
		out string
		err error
	}
	done := make(chan outcome, 1)
	var run errgroup.Group
	run.Go(func() error {
		vm := jsonnet.MakeVM()
		vm.MaxStack = deepestCalls
		vm.Importer(&jsonnet.MemoryImporter{})
		vm.SetTraceOut(io.Discard)
		vm.TLACode("ctx", string(ctx))
		out, err := vm.EvaluateAnonymousSnippet("hook", source)
		done <- outcome{out, err}
		return nil
	})
	select {
	case got := <-done:
		if got.err != nil && strings.Contains(got.err.Error(), cancels) {
			return nil, errCancelled
		}
		if got.err != nil {
			return nil, errors.New("it fails") // the rest may have what the operator wrote there
		}
		var body map[string]any
		if json.Unmarshal([]byte(got.out), &body) != nil {
			return nil, errors.New("it makes no object")
		}
		return body, nil
	case <-time.After(patience):
		return nil, errSlow
	}
}
