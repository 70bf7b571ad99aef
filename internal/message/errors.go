package message

import (
	"github.com/holdline/holdline/internal/problem"
)

// What a receipt can have against it.
var (
	ErrReceiptUnknown    = problem.New(problem.NotFound, "HLD-40421", "No gateway of this name takes receipts.", "message: no gateway of this name takes receipts")
	ErrReceiptUnproven   = problem.New(problem.Unauthenticated, "HLD-40121", "The signature or the secret is missing or wrong.", "message: the receipt's signature or secret is missing or wrong")
	ErrReceiptUnreadable = problem.New(problem.Invalid, "HLD-40021", "The receipt cannot be read.", "message: the receipt cannot be read")
	ErrReceiptTooLarge   = problem.New(problem.TooLarge, "HLD-41321", "The receipt is too large.", "message: the receipt is too large")
)
