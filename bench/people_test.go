package main

import "testing"

// Nobody gets a number that somebody had, but a person who stays has as old number
// the new one of before.
func TestPeopleHaveNumbersOfTheirOwn(t *testing.T) {
	all := newPeople(1, "p", 0)
	anna, err := all.next()
	if err != nil {
		t.Fatal(err)
	}
	again := all.again(anna)
	if again.id != anna.id || again.was != anna.mobile || again.mobile == anna.mobile {
		t.Errorf("anna again: %+v, before: %+v", again, anna)
	}
	bob, err := all.next()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{anna.was: true, anna.mobile: true, again.mobile: true}
	if bob.id == anna.id || bob.name == anna.name || seen[bob.was] || seen[bob.mobile] {
		t.Errorf("bob: %+v, anna: %+v", bob, anna)
	}
	if same, err := newPeople(1, "p", 0).next(); err != nil || same != anna {
		t.Errorf("the same seed made %+v, then %+v (%v)", anna, same, err)
	}
}

func TestExpectedTextsAreCounted(t *testing.T) {
	anna := person{was: "1", mobile: "2"}
	tally := tally{expected: map[string]int{}}
	tally.expect(anna)
	tally.expect(person{was: "2", mobile: "3"})
	for number, want := range map[string]int{"1": 1, "2": 2, "3": 1} {
		if got := tally.expected[number]; got != want {
			t.Errorf("number %s: got %d texts, want %d", number, got, want)
		}
	}
}
