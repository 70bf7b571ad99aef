package provider

import (
	"slices"
	"strings"

	"github.com/google/go-jsonnet/ast"
)

// traced follows the marks in a template's data through its syntax tree, to find out
// whether they come out unchanged, and nothing else depends on them: whether it holds for
// all values what the interpreter makes of marks. It knows little of jsonnet. What it does
// not know, such as self and most of std, may see no mark.
type traced struct {
	prefix string // of marks
	plus   bool   // a number's mark stands after a plus
	steps  int    // that are left
}

// mostSteps bounds the functions that call each other.
const mostSteps = 10_000

// kind is what is known of a value's type.
type kind int

const (
	anyKind kind = iota
	textKind
	objectKind
)

// known is what is known of a value.
type known struct {
	kind   kind
	marked bool // may hold marks: as a text or as parts of one, in objects and arrays
	data   any  // the value itself if it is one of the data; nil if it is not
}

// scope is what variables stand for.
type scope struct {
	outer *scope
	names map[ast.Identifier]*bound
}

// bound is what a variable stands for: a known value, or a tree in a scope.
type bound struct {
	known   known
	ok      bool
	node    ast.Node // nil if the value is known
	in      *scope
	running bool
}

func (s *scope) find(name ast.Identifier) *bound {
	for ; s != nil; s = s.outer {
		if b, ok := s.names[name]; ok {
			return b
		}
	}
	return nil
}

// with is a scope in which local variables may use one another.
func (s *scope) with(binds ast.LocalBinds) *scope {
	inner := &scope{outer: s, names: map[ast.Identifier]*bound{}}
	for _, b := range binds {
		inner.names[b.Variable] = &bound{node: b.Body, in: inner}
	}
	return inner
}

// handsOn reports whether a template hands on all marks in the data unchanged, if
// evaluation succeeds.
func handsOn(template ast.Node, data object, prefix string, plus bool) bool {
	t := &traced{prefix: prefix, plus: plus, steps: mostSteps}
	function, in := t.function(template, nil)
	if function == nil {
		_, ok := t.trace(template, nil)
		return ok // it does not look at the data
	}
	if len(function.Parameters) != 1 || function.Parameters[0].Name != "ctx" {
		return false
	}
	_, ok := t.trace(function.Body, &scope{outer: in, names: map[ast.Identifier]*bound{
		"ctx": {known: t.ofData(data), ok: true},
	}})
	return ok
}

// function finds the function that a tree is, if only local variables or an object stand
// around it; nil if it finds none.
func (t *traced) function(node ast.Node, in *scope) (*ast.Function, *scope) {
	switch n := node.(type) {
	case *ast.Function:
		return n, in
	case *ast.Local:
		return t.function(n.Body, in.with(n.Binds))
	case *ast.Var:
		if b := in.find(n.Id); b != nil && b.node != nil && t.step() {
			return t.function(b.node, b.in)
		}
	case *ast.Index:
		object, isObject := n.Target.(*ast.DesugaredObject)
		name, isText := n.Index.(*ast.LiteralString)
		if !isObject || !isText {
			return nil, nil
		}
		for _, field := range object.Fields {
			if own, ok := field.Name.(*ast.LiteralString); ok && own.Value == name.Value {
				return t.function(field.Body, in.with(object.Locals))
			}
		}
	}
	return nil, nil
}

func (t *traced) step() bool {
	t.steps--
	return t.steps > 0
}

// ofData is what is known of one of the data.
func (t *traced) ofData(value any) known {
	k := known{data: value, marked: t.isMarked(value)}
	switch value.(type) {
	case string:
		k.kind = textKind
	case object:
		k.kind = objectKind
	}
	return k
}

func (t *traced) isMarked(value any) bool {
	switch value := value.(type) {
	case string:
		return strings.Contains(value, t.prefix)
	case object:
		for _, inner := range value {
			if t.isMarked(inner) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(value, t.isMarked)
	}
	return false
}

// trace finds out what is known of a tree's value; false if marks are used in a way that
// it does not know.
func (t *traced) trace(node ast.Node, in *scope) (known, bool) {
	if !t.step() {
		return known{}, false
	}
	switch n := node.(type) {
	case *ast.LiteralString:
		return known{kind: textKind}, true
	case *ast.LiteralNumber, *ast.LiteralBoolean, *ast.LiteralNull:
		return known{}, true
	case *ast.Var:
		return t.variable(n.Id, in)
	case *ast.Local:
		return t.trace(n.Body, in.with(n.Binds))
	case *ast.Array:
		var k known
		for _, element := range n.Elements {
			inner, ok := t.trace(element.Expr, in)
			if !ok {
				return known{}, false
			}
			k.marked = k.marked || inner.marked
		}
		return k, true
	case *ast.DesugaredObject:
		return t.object(n, in)
	case *ast.Conditional:
		if !t.unmarked(in, n.Cond) {
			return known{}, false
		}
		return t.either(n.BranchTrue, n.BranchFalse, in)
	case *ast.Index:
		return t.index(n, in)
	case *ast.Binary:
		if n.Op == ast.BopPlus {
			return t.plusOf(n.Left, n.Right, in)
		}
		return known{}, t.unmarked(in, n.Left, n.Right)
	case *ast.Unary:
		return known{}, t.unmarked(in, n.Expr)
	case *ast.Error:
		return known{}, t.unmarked(in, n.Expr)
	case *ast.Apply:
		return t.call(n, in)
	default:
		return known{}, false
	}
}

// unmarked reports whether no tree's value has marks.
func (t *traced) unmarked(in *scope, nodes ...ast.Node) bool {
	return !slices.ContainsFunc(nodes, func(node ast.Node) bool {
		k, ok := t.trace(node, in)
		return !ok || k.marked
	})
}

func (t *traced) variable(name ast.Identifier, in *scope) (known, bool) {
	b := in.find(name)
	switch {
	case b == nil || b.running:
		return known{}, false
	case b.node == nil:
		return b.known, b.ok
	}
	b.running = true
	b.known, b.ok = t.trace(b.node, b.in)
	b.node, b.running = nil, false
	return b.known, b.ok
}

// either is one value or the other.
func (t *traced) either(one, other ast.Node, in *scope) (known, bool) {
	a, okA := t.trace(one, in)
	b, okB := t.trace(other, in)
	k := known{marked: a.marked || b.marked}
	if a.kind == b.kind {
		k.kind = a.kind
	}
	return k, okA && okB
}

// object may have marks in its fields' values, but not in their names.
func (t *traced) object(n *ast.DesugaredObject, in *scope) (known, bool) {
	k := known{kind: objectKind}
	inner := in.with(n.Locals)
	for _, field := range n.Fields {
		value, ok := t.trace(field.Body, inner)
		if !ok || field.PlusSuper || !t.unmarked(in, field.Name) {
			return known{}, false
		}
		k.marked = k.marked || value.marked
	}
	return k, len(n.Asserts) == 0
}

// index is a field by its name. A missing one fails in evaluation, or is not looked at.
func (t *traced) index(n *ast.Index, in *scope) (known, bool) {
	target, ok := t.trace(n.Target, in)
	name, isText := n.Index.(*ast.LiteralString)
	switch {
	case !ok:
		return known{}, false
	case isText:
		return t.field(target, name.Value, known{}), true
	default:
		return known{}, !target.marked && t.unmarked(in, n.Index)
	}
}

// field is what is known of an object's field; missing if it is known to be missing.
func (t *traced) field(of known, name string, missing known) known {
	data, isData := of.data.(object)
	if !isData {
		return known{marked: of.marked}
	}
	if value, ok := data[name]; ok {
		return t.ofData(value)
	}
	return missing
}

// plusOf joins texts, or objects. Beside a text anything becomes one, with quotes and
// escapes for what is in it.
func (t *traced) plusOf(left, right ast.Node, in *scope) (known, bool) {
	a, okA := t.trace(left, in)
	b, okB := t.trace(right, in)
	if !okA || !okB {
		return known{}, false
	}
	isText := func(k known) bool { return k.kind == textKind }
	switch {
	case isText(a) && (isText(b) || !b.marked), isText(b) && !a.marked:
		return known{kind: textKind, marked: a.marked || b.marked}, true
	case a.kind == objectKind && b.kind == objectKind:
		return known{kind: objectKind, marked: a.marked || b.marked}, true
	default:
		return known{}, !a.marked && !b.marked
	}
}

// call is a call of the standard library, or of a local function.
func (t *traced) call(n *ast.Apply, in *scope) (known, bool) {
	var arguments []ast.Node
	for _, argument := range n.Arguments.Positional {
		arguments = append(arguments, argument.Expr)
	}
	switch target := n.Target.(type) {
	case *ast.Index:
		library, isVar := target.Target.(*ast.Var)
		name, isText := target.Index.(*ast.LiteralString)
		isLibrary := isVar && (library.Id == "std" || library.Id == "$std") && in.find(library.Id) == nil
		if isLibrary && isText && len(n.Arguments.Named) == 0 {
			return t.std(name.Value, arguments, in)
		}
	case *ast.Var:
		if b := in.find(target.Id); b != nil && len(n.Arguments.Named) == 0 {
			return t.local(b, arguments, in)
		}
	}
	return known{}, false
}

// std is a call of the standard library. Besides what sees no marks there are the
// functions that ask for a field, and the usual way to a number without its plus.
func (t *traced) std(name string, arguments []ast.Node, in *scope) (known, bool) {
	if t.unmarked(in, arguments...) {
		return known{}, true
	}
	if len(arguments) < 2 {
		return known{}, false
	}
	first, ok := t.trace(arguments[0], in)
	if !ok || !t.unmarked(in, arguments[1]) {
		return known{}, false
	}
	second, isText := arguments[1].(*ast.LiteralString)
	switch {
	case name == "objectHas" && len(arguments) == 2, name == "objectHasAll" && len(arguments) == 2:
		return known{}, first.kind == objectKind
	case name == "get" && len(arguments) <= 3 && isText:
		var missing known
		if len(arguments) == 3 {
			if missing, ok = t.trace(arguments[2], in); !ok {
				return known{}, false
			}
		}
		_, isData := first.data.(object)
		return t.field(first, second.Value, missing), isData
	case name == "lstripChars" && len(arguments) == 2 && isText && second.Value == "+":
		text, _ := first.data.(string)
		return known{kind: textKind, marked: true}, t.plus && strings.HasPrefix(text, "+"+t.prefix)
	}
	return known{}, false
}

// local is a call of a local function with as many arguments as it has parameters.
func (t *traced) local(of *bound, arguments []ast.Node, in *scope) (known, bool) {
	function, isFunction := of.node.(*ast.Function)
	if !isFunction || len(function.Parameters) != len(arguments) {
		return known{}, false
	}
	inner := &scope{outer: of.in, names: map[ast.Identifier]*bound{}}
	for i, parameter := range function.Parameters {
		inner.names[parameter.Name] = &bound{node: arguments[i], in: in}
	}
	return t.trace(function.Body, inner)
}
