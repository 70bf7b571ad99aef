package verify

import (
	"embed"

	"github.com/holdline/holdline/portal/layout"
)

//go:embed templates assets
var files embed.FS

// Brand is what makes the pages an operator's own.
type Brand struct {
	Name string
	// Logo is a picture's content, and LogoFile the name that it is served under;
	// both blank for none.
	Logo     []byte
	LogoFile string
	// Accent and AccentDark are colours, #rrggbb; blank for the built-in ones.
	Accent, AccentDark string
	// SupportURL is where people get help; blank for nowhere.
	SupportURL string
	// Language is that of pages to people whose own is unknown, as a BCP 47 tag.
	Language string
}

// pagesFor reads the pages, with the operator's assets among theirs. The base is
// the address of the folder that assets are below, as the pages name it.
func (b Brand) pagesFor(base string) (*layout.Pages, error) {
	pages, err := layout.New(layout.Options{Base: base, Files: files})
	if err != nil {
		return nil, err
	}
	pages.Add("theme.css", layout.Theme(b.Accent, b.AccentDark))
	if b.LogoFile != "" {
		pages.Add(b.LogoFile, b.Logo)
	}
	return pages, nil
}

// frame is what a page shows around its content.
type frame struct {
	layout.Frame
	voice
	Themed     bool
	SupportURL string
	Languages  []choice
}

// choice is a language that one may change to, under its own name.
type choice struct {
	Lang, Name, Address string
	Chosen              bool
}

func (b Brand) frame(pages *layout.Pages, v voice, title string) (frame, error) {
	f := frame{
		Frame: layout.Frame{Title: v.T(title), Product: b.Name, Lang: v.tag.String(), Dir: v.dir()},
		voice: v, Themed: b.Accent != "" || b.AccentDark != "", SupportURL: b.SupportURL,
	}
	if b.LogoFile == "" {
		return f, nil
	}
	var err error
	f.Logo, err = pages.Address(b.LogoFile)
	return f, err
}
