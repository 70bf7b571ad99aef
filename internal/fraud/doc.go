// Package fraud watches the traffic to each calling code for signs of SMS pumping,
// which pays a fraudster for every text, and stops it where the policy says so.
package fraud
