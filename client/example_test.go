package client_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdline/holdline/client"
)

// A person types a code; one that has expired is replaced.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	me := client.Client{URL: "https://id.example.com", As: client.SessionToken("ory_st_…")}
	err := me.ValidateCode(ctx, "123456")
	if refused, ok := errors.AsType[*client.Error](err); ok && refused.Code == "18002" {
		err = me.ResendCode(ctx)
	}
	fmt.Println(err)
}

// An administrator looks at what is pending, page by page.
func ExampleClient_Claims() {
	ctx := context.Background()
	desk := client.Client{URL: "http://127.0.0.1:4478", As: client.Bearer("hlt_…")}
	filter := client.ClaimFilter{State: "open", Limit: 100}
	for {
		page, err := desk.Claims(ctx, filter)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, claim := range page.Items {
			fmt.Println(claim.ID, claim.MobileNumber, claim.ExpiresAt)
		}
		if filter.Cursor = page.Next; filter.Cursor == "" {
			return
		}
	}
}
