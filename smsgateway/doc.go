// Package smsgateway sends texts to telephones. What its packages below share is
// here: a [Message], the [Gateway] that sends it, and what a gateway's errors mean.
//
//	delivery  takes texts from the outbox and gives them to gateways
//	template  composes what a text says, in the reader's language
//	provider  sends by a provider's API, and knows its receipts
//	receipt   takes in what providers report of the texts that they took
//	segment   counts the messages that a text is billed for
//
// Nothing in them shows a number, a code or a body: not in errors, not in logs.
package smsgateway
