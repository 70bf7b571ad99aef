// Package portal holds the pages that people see: the demo's self-service pages,
// rendered from Kratos' own UI nodes, and the phone simulator. They are
// html/template and embedded assets, work without JavaScript, and carry a policy
// that allows no inline script or style.
package portal
