// Package selfservice holds the demo's pages: those of a person's account,
// rendered from Kratos' own UI nodes, the phone simulator, and the stage that
// shows both beside each other. They are no part of a production set-up.
package selfservice
