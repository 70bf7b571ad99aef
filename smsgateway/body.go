package smsgateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
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

// bodyTemplate is a parsed jsonnet template. It is the operator's own
// configuration; the bounds guard against mistakes, for the interpreter runs in
// this process and no bound on it withstands malice.
type bodyTemplate struct {
	node   ast.Node
	form   bool
	limit  time.Duration
	places chan struct{}
}

// parseBody reads a template, and tries it with made-up messages, so that faults
// show at start rather than with the first user.
func parseBody(source []byte, form bool, limit time.Duration, samples []Message) (*bodyTemplate, error) {
	node, err := jsonnet.SnippetToAST("body", string(source))
	if err != nil {
		return nil, describeSyntax(err)
	}
	if err := forbid(node); err != nil {
		return nil, err
	}
	t := &bodyTemplate{node: node, form: form, limit: limit, places: make(chan struct{}, evaluations)}
	for _, sample := range samples {
		_, err = t.render(context.Background(), sample)
		if fault := new(templateError); errors.Is(err, errSlowTemplate) || errors.As(err, &fault) && !fault.chosen {
			return nil, err
		}
	}
	return t, nil
}

// forbid refuses what no body needs: files of this machine, and calls that
// escape the bound on depth and so could end the process.
func forbid(node ast.Node) error {
	switch n := node.(type) {
	case *ast.Import, *ast.ImportStr, *ast.ImportBin:
		return fmt.Errorf("line %d: imports are refused", node.Loc().Begin.Line)
	case *ast.Apply:
		if n.TailStrict {
			return fmt.Errorf("line %d: tailstrict is refused", node.Loc().Begin.Line)
		}
	}
	for _, child := range toolutils.Children(node) {
		if err := forbid(child); err != nil {
			return err
		}
	}
	return nil
}

// errSlowTemplate passes: a template that was fast enough at start meets a busy
// machine, or a text of its own kind.
var errSlowTemplate = fmt.Errorf("%w: the body template takes too long", ErrLocal)

// templateError says where a template fails. What jsonnet says may hold values
// of the text, so it is left out.
type templateError struct {
	what   string
	chosen bool // by the template itself, for this text
}

func (e *templateError) Error() string { return "the body template " + e.what }

// Is makes it a refusal: no other try will end differently.
func (e *templateError) Is(target error) bool { return target == ErrRefused }

// render makes the body of a message's request.
func (t *bodyTemplate) render(ctx context.Context, m Message) ([]byte, error) {
	data, err := bodyData(m)
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, t.limit)
	defer cancel()
	select {
	case t.places <- struct{}{}:
	case <-limited.Done():
		return nil, fmt.Errorf("%w: wait for the body template: %w", ErrLocal, limited.Err())
	}
	var out string
	var run errgroup.Group
	done := make(chan error, 1)
	run.Go(func() error {
		defer func() { <-t.places }()
		var err error
		out, err = t.evaluate(data)
		done <- err
		return nil
	})
	select {
	case err = <-done:
	case <-limited.Done():
		if ctx.Err() != nil {
			return nil, fmt.Errorf("wait for the body template: %w", ctx.Err())
		}
		return nil, errSlowTemplate
	}
	switch {
	case err != nil:
		return nil, describe(err)
	case len(out) > longestBody:
		return nil, &templateError{what: "makes too long a body"}
	case t.form:
		return encodeForm(out)
	}
	return []byte(out), nil
}

// evaluate uses a machine of its own, which then goes with the text's data.
func (t *bodyTemplate) evaluate(data ast.Node) (string, error) {
	vm := jsonnet.MakeVM()
	vm.MaxStack = deepestCalls
	vm.Importer(&jsonnet.MemoryImporter{})
	vm.SetTraceOut(io.Discard)
	vm.TLANode("ctx", data)
	return vm.Evaluate(t.node)
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
// words of its own. Anything else may be an error that the template raised.
func describe(err error) error {
	fault := jsonnet.RuntimeError{}
	if !errors.As(err, &fault) {
		return &templateError{what: "cannot be evaluated"}
	}
	place := ""
	for _, frame := range fault.StackTrace { // outermost first
		if frame.Loc.FileName == "body" && frame.Loc.Begin.Line > 0 {
			place = fmt.Sprintf(" in line %d, column %d", frame.Loc.Begin.Line, frame.Loc.Begin.Column)
		}
	}
	for _, words := range []string{"Field does not exist", "max stack frames exceeded", "Unexpected type", "function has no parameter"} {
		if strings.HasPrefix(fault.Msg, words) {
			return &templateError{what: "fails" + place + ": " + strings.ToLower(words)}
		}
	}
	return &templateError{what: "fails" + place, chosen: true}
}

// encodeForm makes a form of a flat object of strings.
func encodeForm(object string) ([]byte, error) {
	fields := map[string]string{}
	if err := json.Unmarshal([]byte(object), &fields); err != nil {
		return nil, &templateError{what: "must make a flat object of strings for a form"}
	}
	form := url.Values{}
	for name, value := range fields {
		form.Set(name, value)
	}
	return []byte(form.Encode()), nil
}
