package main

const introduction = `# What was measured

By ` + "`make bench`" + `, in one run of %s on one machine. What is compared runs side by side and takes turns, and a ratio is that of two measurements that were taken in the same round: the median of the rounds, the lowest and the highest. The run fails if a change is lost, a text comes twice or an answer is wrong, and never because something is slow.

`

const changesProse = `## Changes of number

One *change* is all of it: the number is requested, the code goes to the provider, the user types it (` + "`validate-code`" + ` with a session token), the new number is written, the old number gets its notice. Each user begins the next change when the last one is confirmed. It is requested in the settings form of Kratos (stage and activate hooks) or by a SCIM client (` + "`PATCH /scim2/Users/{id}`" + `), for whom an index of users is kept; where numbers are changed in forms, SCIM is off but in one case. Kratos is an in-memory double, so that what is measured is Holdline and its database; in one case it is a real one, with a database of its own on the same MariaDB, and the whole settings flow is part of the change. Each case has a database and a Holdline of its own; they took turns in blocks, %d of them in each of %d rounds, of %s after a ramp of %s (a second where the provider is slow). Costs are per change, of Holdline's own processes, the notice and background work included: CPU is user and system time, memory the peak of the resident set. *Commits* are transactions that changed rows, a statement outside of a transaction being one, *reads* those that changed none, both as InnoDB counts them. *Round trips* are statements with BEGIN and COMMIT.

Before anything is measured, each database has %s earlier claims with their texts and audit events, that with many %s: copies of what Holdline itself had written, loaded in %s. They take %s MiB; the buffer pool, of %s MiB, holds them.

The floors are what the same MariaDB does for a client that does nothing else, on as many connections as there are users: transactions of two inserts; and the statements of one real change, taken from the general log, in their transactions and order, made again for other people.

`

const duelsProse = `### Ratios

What a case is compared with is another's changes per second, in the same round. The floor of inserts is divided by the commits of a change, as counted in that round: a change that commits eight times cannot be done more often than an eighth of it. A slow provider's code can be read from the moment at which the request arrives; it holds a place for as long as it takes, so a gateway's ` + "`concurrency`" + ` (1024 by default) must be no less than texts per second times seconds.

`

const submitsProse = `## The settings form

What the submit of Kratos' settings form takes (one request, with the flow begun before), at three Kratos that share a database and differ in their hooks only: without any; with those of ` + "`holdline kratos-config`" + `, answered at once with ` + "`{}`" + ` by a server that does nothing; and answered by Holdline. One request at a time, each Kratos in turn, %d of each. For each change of number there is somebody new; in the form without one only a name changes, which Holdline need not be asked about. The ratio is that of medians, of %d parts of the run, and the lowest and the highest.

`

const manyUsers = `## SCIM: a thousand users and very many

Two Holdlines run side by side, each with a database of its own on one MariaDB, and take turns: one has %s users, the other %s, loaded in %s. Kratos is a double that makes its identities up; the index is loaded with the lines that the reconciler would write (a test compares them), and the run fails if Holdline finds that of anybody whom it looks up it should have been another. Times are of whole HTTP requests, read to the end, one at a time, with a client's bearer token; each asks about another user, and its answer is checked. Single users are looked up in Kratos too. Pages have %d users; that at 90 %% of %s begins with startIndex=%d.

`
