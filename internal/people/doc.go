// Package people finds the people whom claims are about, for administrators: by
// e-mail address, user name, name, number, or a piece of a number.
//
// What a person is found by stands in a table of its own, so that a change of
// number pays for no index of the console's. [Indexer] fills it some seconds after
// a claim was made: from the identity as Kratos has it, and from the numbers of the
// person's claims. It looks at everybody again within days, and forgets whose claims
// are forgotten.
//
// Words are kept in lower case, without accents. Of numbers only keyed hashes are
// kept: of the whole, and of each four digits in a row.
package people
