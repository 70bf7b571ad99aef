// Package layout is what all of Holdline's pages have in common: one stylesheet,
// one layout, rendering, assets, and the headers that keep pages safe. There is
// no framework and no build; pages work without JavaScript.
//
// A package of pages embeds two folders and reads them at its start:
//
//	//go:embed templates assets
//	var files embed.FS
//
//	pages := layout.Must(layout.New(layout.Options{Base: "/console/", Files: files, Funcs: funcs}))
//	engine := layout.Engine(layout.Policy{Forms: "'self'", Connect: "'self'"})
//	pages.Mount(engine)                    // /assets/NAME; on a gin group: below its path
//	pages.Show(c, http.StatusOK, "claims", claimsPage{Frame: frame, …})
//
// [Guard] is [Engine]'s middleware for an engine that has other routes too, and
// [OwnForms] the one for whatever changes something. [Assets.Add] adds a file
// that is made at the start.
//
// # Templates
//
// templates/page-NAME.gohtml is the page NAME. It defines blocks of the layout,
// and no text outside of them; its data embeds [Frame]. The blocks:
//
//	content     below the heading and the notice
//	main        instead of heading, notice and content
//	nav         beside the product's name: <nav aria-label="…"><ul class="nav">
//	header      instead of the whole bar
//	footer      after main: <footer class="foot">
//	head        at the end of <head>
//	scripts     at the end of <body>: <script src="{{asset "x.js"}}" defer></script>
//	body-class  classes of <body>, page if not defined
//
// A block that is defined as nothing keeps what the layout has; {{""}} empties it.
//
// templates/part-NAME.gohtml defines what several pages use; a part that defines
// nav, footer or body-class does it for all pages. The function asset returns
// the address of a file in assets/, whose name changes with its content; the
// shared ones are style.css and icon.svg. Scripts and styles in the page itself,
// style attributes and on… attributes do not work: the policy forbids them.
//
// # Classes
//
//	wide, dense      of body: for tables; for small controls (36 px, in tables 28 px)
//	nav, tabs        lists of links; the one that is shown has aria-current="page"
//	card             section; marked has an accent, tight less room
//	columns, split   cards side by side; two things at the ends of a line
//	notice           info (as it is), success, warning, error
//	badge            info, good, warn, bad
//	field            label, input and p.hint (error); check for a checkbox; filters around several
//	code             of an input for a code; code-text for code in text
//	button           button or a.button; plain, danger, link
//	stack pair actions  buttons below each other, in two columns, in a line
//	facts            dl of div of dt and dd
//	remarks links    ul of small print; p of links
//	frame            div around a table, which scrolls; td.number is at the end of its cell
//	timeline         ol of li (good, bad) with a time
//	meter chart      svg; rect (good, warn, bad, rest) with width="…", text, line
//	figure           p with one large number
//	foot languages   footer; ul of links
//	phone texts      the simulator's screen
//	staged stage     of body, and of a div: two frames side by side
//	quiet small bad-text number end hide-seen   text: less important, smaller, alarming, digits
//	                 of one width, at the line's end, for screen readers only
//
// A wide figure is <svg class="meter" viewBox="0 0 100 10"
// preserveAspectRatio="none" role="img" aria-label="73 %"><rect width="73"
// height="10"/></svg>.
//
// Directions are logical (start, end), so that dir="rtl" turns a page round. Put
// numbers, codes and addresses into <bdi dir="ltr">.
package layout
