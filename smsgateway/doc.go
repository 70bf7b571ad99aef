// Package smsgateway brings texts to telephones. A [Gateway] is one way to do
// so: [HTTP] speaks to a provider in the terms of Ory Kratos' own SMS channel,
// [Simulator] is a telephone in memory. [Templates] write what the texts say.
//
// A [Worker] sends what the domain queued. A text reaches it straight after the
// commit that queued it ([Worker.Offer]); polling the outbox only finds what was
// left over by a crash, a full queue or a failed attempt. It tries its gateways
// in order and settles every text in the outbox:
//
//	                     ┌─ sent     a gateway took it
//	offered ─┐           ├─ failed   every gateway refuses it, or its code expires
//	         ├─ attempt ─┤           before another try
//	  found ─┘           ├─ dropped  its code is dead
//	                     └─ put off  some gateway may take it later
//
// Nothing here shows a number, a code or a body: not in errors, not in logs.
package smsgateway
