"""API priority and fairness: who waits when more is asked than can be done at once.

Theory of operation. A request belongs to the first FlowSchema that matches it, and by it to a priority level, which
owns a number of seats: so many of its requests are carried out at a time. What finds no seat waits in one of a few
queues that its flow is dealt (``queues.py``), so a flow that asks much fills its own queues and not those of others; a
queue that is full, or a wait that is too long, is a 429. Nothing of that is looked at while seats are free.
Source: apiserver/pkg/util/flowcontrol, KEP-1040.
"""
