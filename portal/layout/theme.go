package layout

import (
	"fmt"
	"math"
	"strconv"
)

// Theme returns a stylesheet that replaces the accent, given as #rrggbb; nil if
// it is blank. Without one for the dark scheme the light one is mixed with white
// until it can be read there. It goes after style.css.
func Theme(accent, dark string) []byte {
	if accent == "" && dark == "" {
		return nil
	}
	var out []byte
	if accent != "" {
		out = fmt.Appendf(out, ":root { --accent: %s; --accent-strong: %s; }\n", accent, mix(accent, "#000000", .25))
	}
	if dark == "" {
		dark = accent
		for share := .05; share < 1 && contrast(dark, darkCard) < readable; share += .05 {
			dark = mix(accent, "#ffffff", share)
		}
	}
	// The light rule has the same weight, so the dark one must come after it.
	return fmt.Appendf(out, "@media (prefers-color-scheme: dark) { :root { --accent: %s; --accent-strong: %s; } }\n",
		dark, mix(dark, "#ffffff", .3))
}

const (
	darkCard = "#171e28" // --card in the dark scheme
	readable = 6         // some room above 4.5:1
)

// mix moves a colour towards another one.
func mix(colour, towards string, share float64) string {
	from, to := channels(colour), channels(towards)
	var out [3]int
	for i := range out {
		out[i] = int(math.Round(from[i] + (to[i]-from[i])*share))
	}
	return fmt.Sprintf("#%02x%02x%02x", out[0], out[1], out[2])
}

// contrast is the ratio of WCAG 2.2, section 1.4.3.
func contrast(a, b string) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + .05) / (min(la, lb) + .05)
}

func luminance(colour string) float64 {
	weights, sum := [3]float64{.2126, .7152, .0722}, 0.
	for i, channel := range channels(colour) {
		c := channel / 255
		if c <= .04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+.055)/1.055, 2.4)
		}
		sum += weights[i] * c
	}
	return sum
}

// channels reads #rrggbb; what is something else is black.
func channels(colour string) (out [3]float64) {
	if len(colour) != 7 {
		return out
	}
	for i := range out {
		n, _ := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8) // 0 for what is no number
		out[i] = float64(n)
	}
	return out
}
