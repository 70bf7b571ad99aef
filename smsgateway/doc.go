// Package smsgateway brings texts to telephones. A [Gateway] is one way to do
// so: [HTTP] speaks to a provider, in the terms of Ory Kratos' own SMS channel
// or of the provider's API; [Simulator] is a telephone in memory. [Templates]
// write what the texts say.
//
// A [Worker] sends what the domain queued. A text reaches it straight after the
// commit that queued it ([Worker.Offer]); polling the outbox only finds what was
// left over by a crash, a full queue or a failed attempt. The [Routing] says
// which gateways a text may take, in which order; each is asked as often, and
// for as many texts at once, as its [Route] allows, and not at all while its
// circuit breaker is open or while it rests on its own wish. What the worker
// knows of them is [Worker.Health]. Every text is settled in the outbox:
//
//	                     ┌─ sent     a gateway took it, or two may have
//	offered ─┐           ├─ failed   every gateway refuses it, or its code expires
//	         ├─ attempt ─┤           before another try
//	  found ─┘           ├─ dropped  its code is dead
//	                     └─ put off  some gateway may take it later
//
// A text that a provider may have taken, because no answer to a whole request
// could be read ([ErrUnclear]), is sent once more: at once by the next gateway, or
// late, when an outage may be over. If that ends the same way, it is sent as far as
// anybody knows, and is recorded so with the reason; who waits in vain asks for
// another.
//
// A text whose gateway gives an answer that nobody understands ([ErrUnsure]) counts
// as not sent: the gateway is asked once more within its time-out, then the next
// one, and all of them again later, three times in all.
//
// What is found is leased only when a gateway has room for it, newest first, and
// makes room for what is offered. What is dead, and what no gateway is to be
// asked for at present, is settled many at a time.
//
// Nothing here shows a number, a code or a body: not in errors, not in logs.
package smsgateway
