// Package ordering finds where the clients of one run disagree on the order of events, and proves it with a pair.
//
// Before two clients can disagree on an event, both must have been due to receive it. That question, who should have
// received what, is decided here and nowhere else, by Membership; reach, loss and duplicates are counted from its answer.
//
// # Membership
//
// A subscription is an interval: from the arrival of the response head, or of the answer to a join (Subscribed.At), until the
// client said that it leaves the channel (Unsubscribed.At), or the stream of the same connection ended or was closed. A
// stream that was not cut before the drain was over (Run.End) is open for ever: what the run itself closes afterwards takes
// nobody's membership away. An event's window is the interval from Sent.At to its last delivery at any client; when nobody
// got it, the moment Sent.At. For each client that ever subscribed to the event's channel, the event is
//
//   - expected, when one subscription began before the window and was still open after it;
//   - indeterminate, when a subscription only touches the window: the client subscribed, was cut, closed or reconnected
//     while the event was on its way, and nobody outside the server can tell whether it was due to get it;
//   - neither, when no subscription touches the window: the client was away.
//
// An expected event that arrived is reached, one that did not is lost. What arrives at a client that never subscribed to
// the channel at all is stray. An event that arrives by two ways (the reply and the stream, say) arrives once and is
// duplicated once. Times that are equal count as touching: only what is certain is expected.
//
// Worked example, in ms, with seven clients of one channel. A sends e, which arrives at A at 11, at D at 20, at E twice:
//
//	     0        10        20        30
//	A    |─────────s──────────────────────   expected, reached (self-echo at 11, in the reply or by the stream)
//	B    |─────────────x |────────────────   cut at 14, back at 16: indeterminate, whether e came or not
//	C              . |────────────────────   subscribed at 12: indeterminate
//	D    |──────────────────d─────────────   expected, reached; its delivery at 20 is the last one
//	E    |─────────────dd─────────────────   expected, reached; delivered once, duplicated once
//	F    |────────────────────────────────   expected, lost
//	G    |──x                      |──────   away from 3 to 25: neither
//
// gives Expected 4, Reached 3, Lost 1, Indeterminate 2, Delivered 3, Duplicated 1, MissedAway 1.
//
// A gap over a reconnect is none of these: the client knows that it was away. So it is counted apart. A client was away from an event
// when at Sent.At it had no subscription, but one before, which ended for another reason than its own will (Unsubscribed), and
// one later. It caught up when it received the event all the same, and missed it when it did not. B above was there when e was
// sent, and is in neither; G missed it.
//
// Two promises of a design change what is expected (Run.Promises). Where there are promises and none of a self_echo, the
// publisher is not told of its own event, and is neither. A self_echo says by which way a publisher hears of its event while it is
// subscribed: one for whom the event is neither or indeterminate may hear of it by any, as who was away hears by the stream of what a
// server has kept for it. Where freshness is promised, a newer value may take the place of an
// older one: a missing delivery is indeterminate when the client received a later event of the same publisher, and lost when it
// did not, so that the last value must arrive.
//
// # What was sent
//
// A command that was refused or dropped was never sent: it is no event. One whose outcome is not known (no whole reply, a
// status that is not 2xx, no word at all) and that nobody received may never have been dispatched: all its expectations are
// indeterminate. When anybody received it, it was dispatched, and it counts like every other. Deliveries of an event of
// which no Sent is on record (its segment is lost) are counted, but nothing is expected of it.
//
// # Foreign events
//
// What no command of the run is known to have caused, and what a name of the server's own tells from all else (history.Foreign), takes
// part in all of this but where it would need its command: it is due when it is first seen anywhere, it has no sender, so that
// no client is its originator and no FIFO pair is made with it, and its latency is not known. Who should have received it is known only where the
// server promises that every event of a channel goes to all its subscribers (Run.Promises "broadcast"). Then its window reaches
// from Lead before its first delivery to its last one, since it may have been made before anybody saw it; and one that was first seen
// less than Lead before the end of the drain is not waited for: who has not got it is indeterminate. Without that promise, all are.
//
// # Runs without a drain
//
// A run that was killed, or gave up before its drain was over, did not wait for its last deliveries. The horizon of such
// a run is its last Observation, of any kind, not its last delivery. Of an event that was sent within Run.Drain before the
// horizon, a missing delivery is indeterminate, because in a whole run it would still have had time; one that arrived is
// reached. Of every earlier event, a missing delivery is lost as always: the clients listened for as long as a whole run
// listens. Example with a drain of 5 s: the server falls silent at 60 s, commands and heartbeats go on, the generator is
// killed at 90 s. The horizon is 90 s, so that what was sent and accepted from 60 s to 85 s is lost, as it should be (taken
// from the last delivery, all of it would be excused); what was sent from 85 s on is indeterminate.
//
// When a node of the target dies, its streams end, and the rule of the window is enough: a client that was cut before the
// event's last delivery elsewhere is indeterminate. When all streams end together, the last delivery came before every cut,
// and whoever had not got the event by then lost it.
//
// Not guaranteed: a history with damaged segments in its middle lacks deliveries that happened, and nothing here can know.
// Whoever judges must see to history.Damaged.
//
// # Before
//
// At one client, event a came before event b, when their first deliveries there were in that order:
//
//   - on one Conn by the order of rows, which is that of the bytes; no stamp is asked;
//   - on different Conns, when a.At < b.NotBefore: everything of a had arrived before anything of b could have. With TieBelow
//     set, b.NotBefore - a.At must be at least that much, too; and it must be more than the noise floor of the run, the
//     largest margin by which the harness was seen to turn a pair of known order round (0 with stamps by the kernel).
//
// Otherwise the pair is tied at that client, which then says nothing about it. Intervals that touch are tied: a clock that
// shows one value twice proves no order. A NotBefore after At counts as At (the kernel stamps a segment a moment before the
// socket holds it, so that a clock read in between is later than the stamp).
//
// Only the first delivery orders. Of each Conn the first copy counts, and of those copies the one with the earliest At. When a
// copy on another Conn may have come even earlier (they would be tied), the first delivery has no Conn, and its interval
// begins with the earliest NotBefore of the copies. A reconnect makes a new Conn, so that what came before and after it is
// ordered by intervals.
//
// # Divergence
//
// Pairs are of events of one channel that were due at most Window apart (1 s, both ends included). Parts of an event are events.
// Due time and channel of an event are those of its Sent, and of its deliveries where none is on record (a foreign one is due at its first); of rows that differ, the
// earliest counts (of two Sent, the one that was sent first; of two channels, the one with the smaller number).
//
//   - A pair is divergent, when some client saw a before b and another b before a. No reference order is involved.
//   - It is at risk, when at least two clients order it: only then could it have been found divergent. So every divergent pair
//     is at risk, and divergent / at risk is a share. Few clients that are tied take nothing away: one client of a hundred
//     without an opinion leaves ninety-nine that could have disagreed.
//   - It is tied, when at least two clients saw both and fewer than two order it. Single opinions that are missing in any pair
//     are counted in TiedViews; when that is large beside AtRisk, little was looked at.
//   - An event is touched, when it is in a divergent pair.
//   - An inversion is a pair at a client that saw it against the order of first sight: by the earliest At at any client, then
//     by due time and name. Unlike divergence it depends on the clock, and on this choice. It is counted for one client too.
//
// The classes divide the divergent pairs. An originator of a pair is a client that published a or b, an observer any other.
// A pair is observer-observer, when two observers disagree; else originator-observer: without the word of an originator
// nobody would disagree, though the other one may be an originator as well (of the other event: of this one it is an
// observer). At risk and tied are counted for each class by who could have disagreed: observer-observer when at least two
// observers order it, originator-observer when an originator and anybody else do. Most pairs are at risk in both.
//
// By path, a divergent pair belongs to the smallest set of paths with which two clients that disagree got the two events:
// "sse" when two clients disagree that got both by the stream, "reply/sse" when the disagreement goes away without the
// clients that got one in the reply.
//
// Of several nodes, a pair is divergent on one node when two clients that got both events from that node disagree; at risk and
// tied are counted likewise. What is divergent and not so is the doing of what joins the nodes. Nodes that are not known count
// as one.
//
// FIFO speaks of two commands of one publisher. It is violated when the second was sent after the good reply to the first
// had arrived (Replied.At < Sent.At) and some client saw the second event first. Commands without that order were in flight
// together: what overtakes there is counted as concurrent, and is no violation.
//
// A pair belongs to the window, and to the channel, of its later event by due time. What is divergent though it was due
// further apart than Window is in Beyond and in no other figure, so that a zero does not hide it.
//
// Worked example, in ms. A publishes a, B publishes b; in the design hologram each gets its own in the reply (r), and the other
// by the stream (s), as C and D get both:
//
//	     due     A       B       C       D
//	a      1    11 r    13 s    13 s    13 s
//	b      2    14 s    10 r    12 s    12 s
//
// A saw a before b, the others b before a: one pair at risk in both classes, divergent; C and D agree, so that it is
// originator-observer; reply/sse; both events touched. b was first seen at 10 and a at 11, so that A has the one inversion. The
// witness is A and B, whose margins are 14 - 11 = 3 and 13 - 10 = 3; C's, 13 - 12 = 1, would be less. Had b waited behind another
// message at A, so that it is known as (10, 14] only, the pair would be tied at A: at risk still, because three clients order
// it, no longer divergent, and one tied view.
//
// # The hold-back queue
//
// A resequencer puts the numbered events of one channel into order before its app sees them. What it would have done follows
// from what arrived and when, so that it is worked out here and not carried out by the clients: an old run can be asked, and
// for any time to hold. For one client and one channel:
//
//   - A number arrives with the first row that brings an event of it: a delivery by any way, or the good reply that tells its
//     sender which number its command got. Further copies of an event are dropped. What has no number is handed on at once.
//   - The queue begins with the lowest number that arrives no later than MaxHold after the first: servers that number tell a new
//     stream where it is.
//   - A number is settled when it has arrived; or when it is given up: an event of it or a higher one has been held for MaxHold,
//     or the server said that it does not come (a message that a part is missing, or a snapshot that it is in).
//   - An event is handed on when it has arrived and all numbers from the beginning up to its own are settled. Nothing is held
//     longer than MaxHold. What comes when its number has been passed is late: it is handed on at once, out of order, for
//     nobody would rather lose it.
//   - A message that a part is missing, which begins with a number that the stream has passed, says that the numbers have begun
//     anew: what is held is handed on, and the queue begins again.
//
// What was handed on then stands in the place of what arrived, at one socket a client, and is compared as above. Times are
// those of At: the hold of an event is off by At - NotBefore of it and of what it waited for at most.
//
// # The optimistic client
//
// A client that does not wait shows its own change from when it is due, on top of all that it has seen, until its event comes
// (or, where it never does, the good reply). A change of somebody else that comes meanwhile goes below it: that is a rebase. The
// change is confirmed by the good reply or by its event, whichever comes first. It is rolled back when the server refuses it (a
// conflict, say) or no reply comes, unless its event had come before; an event that comes after all outweighs a missing reply.
//
// Its sender sees what no server ever had (Wrong) from when the change is due until the last rebase, for until then its own change
// stood in front of one that belongs before it; and for as long as the change is shown, when it is rolled back. That is so for an
// app in which the order of all changes of a channel matters, such as a list. Where only changes of one key meet, it is an upper
// bound: which keys they were of is not in the history.
//
// # Known elsewhere first
//
// A sender knows of its event from the good reply or from its own view of it, whichever comes first. Others knew it first when
// some other client had it before anything came to the sender that told it so; what the stamps leave open is a tie.
//
// Not guaranteed: without a divergent pair there need be no order that all clients agree with. Three clients that saw (a, b),
// (b, c) and (c, a), and nothing else, disagree on no pair; clients that see all their events have no such gap. When stamps run backwards on a socket, Beyond may miss
// pairs, because its search ends by stamps; all other figures stay exact. And when the clock steps
// (history.ClockStep), orders between different sockets are wrong across the step; those on one socket are not.
package ordering
