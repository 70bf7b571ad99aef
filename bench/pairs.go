package main

// pair is a comparison of two contenders.
type pair struct {
	title  string
	of, to int
	target float64 // of the ratio, at least; zero for none
	line   func(of, to sample) float64
}

// rateOf is the line for those who do the same.
func rateOf(_, to sample) float64 { return to.rate }

// perCommit is the line for those whose every operation takes several transactions, in a
// contest with a floor of single ones.
func perCommit(of, to sample) float64 { return to.rate / of.commits }

var pairs = []pair{
	{"settings hooks / floor of inserts", hooks, inserts, 0.5, perCommit},
	{"SCIM client / floor of inserts", scimClient, inserts, 0.5, perCommit},
	{"settings hooks / floor of their statements", hooks, replay, 0.5, rateOf},
	{"provider after 1 s / at once", slowly, hooks, 0.95, rateOf},
	{"many earlier claims / few", many, hooks, 0.9, rateOf},
	{"SCIM is on as well / off", indexed, hooks, 0, rateOf},
	{"3 replicas / 1", replicas, hooks, 0, rateOf},
	{"real Kratos / double", withKratos, hooks, 0, rateOf},
}

// compare compares two contenders round by round.
func (r row) compare(d pair) (rate, line, ratio spread) {
	var rates, lines, ratios []float64
	for i, of := range r.samples[d.of] {
		against := d.line(of, r.samples[d.to][i])
		rates, lines, ratios = append(rates, of.rate), append(lines, against), append(ratios, of.rate/against)
	}
	return spreadOf(rates), spreadOf(lines), spreadOf(ratios)
}
