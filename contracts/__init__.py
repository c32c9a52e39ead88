"""What both sides agreed on: the box and the core speak with these objects and no others.

Start with `money` and `verdicts`; `codes` says what a customer showed; `messages` is what travels, and
`topics` where; `clock` is time as an interval; `offers` is pricing that both sides compute alike;
`alerts` is what must be seen to, and `promises` how it is said what a box can still do.

`ids` names what happens once. `sealing` is a document under the fleet's signature, `proofs` a box's own; `packing` makes bytes small.
`commands` is what a box may be commanded, `shells` the remote shell's line and `casts` its recording, `desired` settings on their way
and `shop` what they decide, `updates` what a release waits for. `settings` reads configurations, `schemas` writes what travels as JSON Schemas.

Nothing enters this room unless two others import it, and nothing in it does I/O.
"""
