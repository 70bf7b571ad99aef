package provider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/go-jsonnet"
	"github.com/google/go-jsonnet/ast"
	"github.com/google/go-jsonnet/toolutils"
	"golang.org/x/sync/errgroup"
)

const (
	longestTemplate = 64 << 10
	longestBody     = 64 << 10
	deepestCalls    = 500 // as deep as Kratos lets them be
	// evaluations bounds how many run at once. One that exceeds its time cannot
	// be stopped, only abandoned, and keeps its place until it ends by itself.
	evaluations = 4
)

// snippet is parsed jsonnet: a function of ctx. It is the operator's own
// configuration; the bounds guard against mistakes, for the interpreter runs in
// this process and no bound on it withstands malice.
type snippet struct {
	name   string // in errors
	file   string // in the interpreter's places
	node   ast.Node
	limit  time.Duration // of one evaluation
	places chan struct{}
}

func parseSnippet(name, source string, limit time.Duration) (*snippet, error) {
	s := &snippet{name: name, file: strings.ReplaceAll(name, " ", "-"), limit: limit, places: make(chan struct{}, evaluations)}
	var err error
	if s.node, err = jsonnet.SnippetToAST(s.file, source); err != nil {
		return nil, describeSyntax(err)
	}
	if err := checkSyntaxTree(s.node); err != nil {
		return nil, err
	}
	return s, nil
}

// checkSyntaxTree refuses what no body needs: files of this machine, and calls that
// escape the bound on depth and so could end the process.
func checkSyntaxTree(node ast.Node) error {
	switch n := node.(type) {
	case *ast.Import, *ast.ImportStr, *ast.ImportBin:
		return fmt.Errorf("line %d: imports are refused", node.Loc().Begin.Line)
	case *ast.Apply:
		if n.TailStrict {
			return fmt.Errorf("line %d: tailstrict is refused", node.Loc().Begin.Line)
		}
	}
	for _, child := range toolutils.Children(node) {
		if err := checkSyntaxTree(child); err != nil {
			return err
		}
	}
	return nil
}

// errNoPlace means that too many evaluations run, and errSlow that one takes too
// long: it was fast enough at start, and meets a busy machine or data of its own
// kind.
var (
	errNoPlace = errors.New("waits too long")
	errSlow    = errors.New("takes too long")
)

// snippetError says where jsonnet fails. What the interpreter says may hold
// values of the data, so it is left out.
type snippetError struct {
	name, what string
	chosen     bool // by the snippet itself, for these data
}

func (e *snippetError) Error() string { return "the " + e.name + " " + e.what }

// run evaluates the function. The error is errNoPlace, errSlow, that of ctx, or
// a [*snippetError].
func (s *snippet) run(ctx context.Context, data ast.Node) (string, error) {
	limited, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	select {
	case s.places <- struct{}{}:
	case <-limited.Done():
		return "", fmt.Errorf("%w: %w", errNoPlace, limited.Err())
	}
	var out string
	var group errgroup.Group
	done := make(chan error, 1)
	group.Go(func() error {
		defer func() { <-s.places }()
		var err error
		out, err = s.evaluate(data)
		done <- err
		return nil
	})
	select {
	case err := <-done:
		if err != nil {
			return "", s.describe(err)
		}
		return out, s.bound(len(out))
	case <-limited.Done():
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", errSlow
	}
}

// bound refuses what is too long.
func (s *snippet) bound(length int) error {
	if length > longestBody {
		return &snippetError{name: s.name, what: "makes too long a body"}
	}
	return nil
}

// evaluate uses a machine of its own, which then goes with the data.
func (s *snippet) evaluate(data ast.Node) (string, error) {
	vm := jsonnet.MakeVM()
	vm.MaxStack = deepestCalls
	vm.Importer(&jsonnet.MemoryImporter{})
	vm.SetTraceOut(io.Discard)
	if data != nil {
		vm.TLANode("ctx", data)
	}
	return vm.Evaluate(s.node)
}

// describeSyntax keeps the source to itself, which may hold the provider's secret.
func describeSyntax(err error) error {
	var fault interface{ Loc() ast.LocationRange }
	if errors.As(err, &fault) {
		return fmt.Errorf("is no jsonnet: line %d, column %d", fault.Loc().Begin.Line, fault.Loc().Begin.Column)
	}
	return errors.New("is no jsonnet")
}

// describe says where evaluation failed, and how if the interpreter says it in
// words of its own. Anything else may be an error that the snippet raised.
func (s *snippet) describe(err error) error {
	fault := jsonnet.RuntimeError{}
	if !errors.As(err, &fault) {
		return &snippetError{name: s.name, what: "cannot be evaluated"}
	}
	place := ""
	for _, frame := range fault.StackTrace { // outermost first
		if frame.Loc.FileName == s.file && frame.Loc.Begin.Line > 0 {
			place = fmt.Sprintf(" in line %d, column %d", frame.Loc.Begin.Line, frame.Loc.Begin.Column)
		}
	}
	for _, words := range []string{"Field does not exist", "max stack frames exceeded", "Unexpected type", "function has no parameter"} {
		if strings.HasPrefix(fault.Msg, words) {
			return &snippetError{name: s.name, what: "fails" + place + ": " + strings.ToLower(words)}
		}
	}
	return &snippetError{name: s.name, what: "fails" + place, chosen: true}
}
