package console

import (
	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/portal/layout"
)

// frame is what all pages show around their content.
type frame struct {
	layout.Frame
	Who  audit.Actor
	Menu []menu // none for who is not signed in
}

type menu struct {
	Name  string
	Items []menuItem
}

type menuItem struct {
	Name, Path string
	Current    string // of aria-current: page, true for a page below it, or blank
}

var menus = []menu{
	{"Work", []menuItem{{Name: "Overview", Path: "/"}, {Name: "Alarms", Path: "/alarms"}, {Name: "People", Path: "/people"}, {Name: "Claims", Path: "/claims"}, {Name: "Texts", Path: "/texts"}, {Name: "Over time", Path: "/activity"}, {Name: "Traffic", Path: "/traffic"}}},
	{"Service", []menuItem{{Name: verification, Path: "/settings"}, {Name: "Limits", Path: "/limits"}, {Name: "Gateways", Path: "/gateways"}}},
	{"Control", []menuItem{{Name: "Tokens", Path: "/tokens"}, {Name: "Audit", Path: "/audit"}}},
}

// frame returns the frame of a page. A page whose title is not its item's is
// below it; see [frame.below].
func (s *console) frame(v *visit, title string) frame {
	f := frame{Frame: layout.Frame{Title: title, Product: s.Product, Tag: "console", Lang: "en", Dir: "ltr", Home: Path + "/"}}
	if v == nil || v.secret == "" {
		return f
	}
	f.Who, f.Notice = v.who.Actor, v.notice
	for _, group := range menus {
		items := make([]menuItem, len(group.Items))
		for i, item := range group.Items {
			items[i] = menuItem{Name: item.Name, Path: Path + item.Path}
			if item.Name == title {
				items[i].Current = "page"
			}
		}
		f.Menu = append(f.Menu, menu{group.Name, items})
	}
	return f
}

// below marks the item that a page belongs to without being it.
func (f frame) below(name string) frame {
	for _, group := range f.Menu {
		for i := range group.Items {
			if group.Items[i].Name == name {
				group.Items[i].Current = "true"
			}
		}
	}
	return f
}
