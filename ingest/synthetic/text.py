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

# What a joint local review says; {right} is the number of a right.
INSIGHT: dict[str, tuple[str, ...]] = {
    "high": (
        "Right {right}: among the best figures of the area, for the third quarter running.",
        "Right {right}: high and steady. Supervisors check every file before it is closed.",
        "Right {right}: rose after the reminder in the case system was moved forward.",
    ),
    "low": (
        "Right {right}: below the other bodies of the area; late entries explain about half of the gap.",
        "Right {right}: low since two teams changed their case system in the spring.",
        "Right {right}: fell by several points; vacancies in the witness care unit were given as the reason.",
    ),
    "best_practice": (
        "Right {right}: a short film about the court building is sent with the first hearing letter.",
        "Right {right}: victims choose at first contact how they wish to be told, and it is kept to.",
        "Right {right}: one letter from two bodies instead of two; complaints about it have stopped.",
    ),
    "dip_sample": (
        "Right {right}: twenty files read together; eighteen agreed with what had been counted.",
        "Right {right}: thirty files read; in four the step was taken but not recorded.",
        "Right {right}: ten files read; the reasons given for not suitable were sound in nine.",
    ),
    "escalate": (
        "Right {right}: the field needed is not in the national case system; nobody here can mend this.",
        "Right {right}: results come late from outside the area; a national fix is needed.",
    ),
}

ACTIONS: tuple[str, ...] = (
    "Read a second sample of thirty files in autumn and report to the review.",
    "Add the step to the checklist that supervisors use when a file is closed.",
    "Agree which body sends the letter and write it down.",
    "Fill the two vacant posts in the witness care unit.",
    "Brief every team in its first meeting of the month.",
    "Ask the supplier of the case system for a mandatory field.",
    "Offer a choice of text, e-mail or phone at first contact and record it.",
)

OWNERS: dict[str, str] = {
    "police": "Head of criminal justice",
    "btp": "Head of criminal justice",
    "mdp": "Head of operations",
    "cps": "Senior manager, victim liaison",
    "courts": "Delivery manager",
    "prisons": "Head of offender management",
    "probation": "Victim contact manager",
    "yjs": "Team manager",
}

SERVICES: tuple[tuple[str, str], ...] = (
    (
        "Support for all victims of crime",
        "One contract for the area; first contact within two working days.",
    ),
    ("Independent advisers, sexual violence", "Advisers work from two centres; waits of about six weeks."),
    ("Restorative justice", "Offered after conviction; about one victim in ten takes it up."),
)

# source, publisher, title, summary, what is counted, its unit, how many of it are typical
PUBLISHED: tuple[tuple[str, str, str, str, str, str, int], ...] = (
    (
        "inspectorate",
        "Joint inspectorates of criminal justice",
        "Meeting the needs of victims, quarterly summary",
        "Needs are assessed more often than a year ago; what follows from them is seldom written down.",
        "",
        "",
        0,
    ),
    (
        "victims_commissioner",
        "Victims' Commissioner",
        "What victims tell us",
        "Most who answered knew of the Code; fewer than half remembered being told of their rights.",
        "Victims who answered",
        "victims",
        2_400,
    ),
    (
        "ombudsman",
        "Parliamentary and Health Service Ombudsman",
        "Complaints under the Victims' Code",
        "Most complaints are about not being kept informed.",
        "Complaints accepted for investigation",
        "complaints",
        34,
    ),
)
