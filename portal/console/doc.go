// Package console is the administrators' console: pages on the admin listener, at
// their full paths below /console. It needs no JavaScript.
//
//	handler, err := console.New(console.Options{…})
//	engine.Any("/console", gin.WrapH(handler))
//	engine.Any("/console/*page", gin.WrapH(handler))
//
// A request is checked in this order: another origin's form is refused
// ([layout.OwnForms]), and who is not signed in gets the sign-in page instead of what
// they asked for (inside). What an act may do is decided behind the interfaces of
// [Options], which also write the audit trail; the actor of the session goes with
// every act.
//
// Numbers are masked wherever they are shown, but on the answer to "Show the full
// numbers". They are asked for by POST, so that addresses never have one.
package console
