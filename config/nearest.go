package config

// Nearest returns the word that another one was probably meant to be: the one with the
// fewest letters to change, three at most, and no more than a third of them. It is blank
// if there is none, or if the word itself is among them.
func Nearest(word string, among []string) string {
	best, fewest := "", min(3, max(1, (len(word)+1)/3))+1
	for _, candidate := range among {
		if n := distance(word, candidate); n < fewest {
			best, fewest = candidate, n
		}
	}
	if best == word {
		return ""
	}
	return best
}

// distance is Levenshtein's, with two neighbours changed for one another counted once
// (optimal string alignment).
func distance(a, b string) int {
	var before, last, row []int
	last = make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row = make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			changed := 1
			if a[i-1] == b[j-1] {
				changed = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+changed)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
