// Package filter reads the filters of RFC 7644, section 3.4.2.2, decides by them
// and narrows them to what an index can look up.
//
// [Parse] reads syntax only. [Filter.Check] and [Filter.CheckElement] find
// comparisons that a schema does not allow. [Filter.Matches] and
// [Filter.MatchesElement] decide; they are the only ones to do so, an index
// merely saves them work ([Filter.Narrow]).
//
// Where the RFC leaves room:
//
//   - An attribute without a value is the same as null (RFC 7643, section 2.5), so
//     ne with any value matches it, and eq null does. So does every element of a
//     complex attribute that lacks the sub-attribute.
//   - A multi-valued attribute matches if any of its values does. That holds for
//     ne too: emails ne "a" asks for a user with another address than a; who asks
//     for a user without a writes not (emails eq "a").
//   - An attribute that no schema has is one without a value.
//   - A complex attribute without a sub-attribute stands for its sub-attribute
//     value: emails co "@example.com".
//   - A comparison may stand behind a value path, as Entra ID writes it:
//     emails[type eq "work"].value eq "a" is emails[type eq "work" and value eq "a"].
//   - A boolean may be written as a string in any case, as Entra ID does; a number
//     compares with a string attribute by its spelling.
package filter
