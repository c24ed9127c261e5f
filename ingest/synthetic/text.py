"""Sentences a body might write in the free-text columns of a return. No person, place or case is in them."""

from __future__ import annotations

EVIDENCE: dict[int, tuple[str, ...]] = {
    0: (
        "No process is in place. Practice depends on the team that holds the case.",
        "Nothing has been written down yet; staff have asked for guidance.",
    ),
    1: (
        "A draft process has been written but no team works to it yet.",
        "Guidance is agreed in principle; training has not started.",
        "A pilot was planned and then put back. The draft is with the policy lead.",
        "The checklist exists but the case system does not hold its answers.",
    ),
    2: (
        "Process in use in all teams since last year; supervisors sample ten files a month.",
        "In daily use. Compliance is read from the case system and discussed at the monthly meeting.",
        "Letter templates are in use, in plain English, with easy-read versions.",
        "A mandatory field was added to the case system and is filled in for most cases.",
        "Leaflets are handed out at first contact and the step is recorded on the contact log.",
        "In use, with some gaps at weekends that the duty desk now covers.",
        "Interpreters are booked through the national framework; waits are recorded.",
        "A weekly list of overdue contacts is sent to team managers.",
        "Process in use. Feedback from the support service is read each quarter.",
    ),
    3: (
        "In use and reviewed twice a year against a sample of cases; changes are minuted.",
        "Reviewed by the scrutiny panel in the spring; two of three recommendations are done.",
        "In use since 2022. The last review led to a shorter letter and an earlier phone call.",
        "Independent dip sampling each quarter; results are shared with partners at the local board.",
        "Reviewed after victim feedback; the order of the steps was changed.",
        "The process was audited internally and found to work as written.",
    ),
}

PLANS: tuple[str, ...] = (
    "Write the process down, train the teams and sample thirty files after three months.",
    "Move the reminder in the case system from day four to day two.",
    "Agree with partners who sends which letter, and stop sending it twice.",
    "Add the step to supervision meetings and report it monthly.",
    "Publish the leaflet in the five languages asked for most often.",
    "Offer a call back within one working day when the first call is missed.",
    "Review the wording of letters with a group of people who have used the service.",
    "Ask the support service for monthly figures and compare them with ours.",
    "Recruit to the vacant posts in the witness care unit and cover evenings.",
    "Share hearing results electronically instead of by hand.",
    "Record the reason whenever a step is not suitable, from a fixed list.",
    "Train new starters in the first month and refresh all staff each year.",
)

NEXT_STEPS: tuple[str, ...] = (
    "Draft goes to the local board",
    "Training begins in the first two teams",
    "Change request to the system supplier",
    "Sample of thirty cases",
    "Partner workshop",
    "New template goes live",
    "Report to the chief officer group",
    "Survey wording agreed",
)

NOT_COLLECTED: tuple[str, ...] = (
    "The case system has no field for this; a change has been requested.",
    "Held on paper court records only and not yet counted.",
    "The field exists but is filled in too seldom to be counted.",
    "Collected by a partner, who does not yet share it with us.",
    "Recording moved to a new system during the year; counting starts once it is complete.",
)

SAMPLE_NOTES: tuple[str, ...] = (
    "Thirty cases drawn at random from those finalised in the quarter.",
    "Manual audit of thirty cases; the system cannot yet report on all of them.",
)

NO_SURVEY: tuple[str, ...] = (
    "No survey was run this quarter; too few victims agreed to be contacted.",
    "The survey is being re-tendered and was not in the field this quarter.",
)
