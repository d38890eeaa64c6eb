"""The steps: each runs something and checks it against EC2, the history, the report and the phase log."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prove import figures
from prove.checks import Check, Checker
from prove.plan import RECIPIENT, SERVERS, Server
from prove.reading import Run
from prove.site import RUN_PATIENCE_SECONDS, Site

DRY_RUN = "dry run"
REFUSED = "start, one server without the tag"
TAGGED = "start, now with the tag"
NOTHING = "start once more"
STOP = "stop"
NO_KEY = "start, a volume's key disabled"
MEANWHILE = "stop, begun meanwhile"
FAILED = "FAILED ServersNotAsWanted"


def ready(site: Site) -> Iterator[Check]:
    """What the other steps build upon."""
    check = Checker("set up")
    states = site.states()
    stopped = listed([name for name, state in states.items() if state == "stopped"])
    yield check.same("EC2: servers that are stopped", listed([server.short for server in SERVERS]), stopped)
    yield check.same("notice: the queue hears the topic", "yes", "yes" if figures.hears(site) else "no")


def dry_run(site: Site) -> Iterator[Check]:
    check = Checker(DRY_RUN)
    run = site.run(DRY_RUN, "start", dry_run=True)
    yield from told(check, run, FAILED, "DRY RUN: START STATUS: ABORTED", "test-db UnauthorizedOperation")
    would = ["dev-db", "preprod-app", "preprod-db", "test-app"]
    deeds = listed(["dev-app held", *(f"{name} would_start" for name in would)])
    yield check.same("report: what was done", deeds, done(run))
    yield from agrees(check, site, run, "none")


def refused(site: Site) -> Iterator[Check]:
    check = Checker(REFUSED)
    run = site.run(REFUSED, "start")
    yield from told(check, run, FAILED, "START STATUS: ABORTED", "test-db UnauthorizedOperation")
    encoded = any("Encoded authorization" in problem["message"] for problem in run.report.get("problems", []))
    yield check.same("report: EC2's encoded text", "left out", "in it" if encoded else "left out")
    deeds = "dev-app held, dev-db started, preprod-app started, preprod-db started"
    yield check.same("report: what was done", deeds, done(run))
    yield from agrees(check, site, run, "dev-db, preprod-app, preprod-db")


def tagged(site: Site) -> Iterator[Check]:
    check = Checker(TAGGED)
    site.tag("test-db")
    run = site.run(TAGGED, "start")
    yield from told(check, run, "SUCCEEDED", "START STATUS: SUCCESS", "none")
    yield check.same("report: what was done", "dev-app held, test-app started, test-db started", done(run))
    yield from agrees(check, site, run, "dev-db, preprod-app, preprod-db, test-app, test-db")


def nothing_to_do(site: Site) -> Iterator[Check]:
    check = Checker(NOTHING)
    before = site.launched()
    run = site.run(NOTHING, "start")
    yield from told(check, run, "SUCCEEDED", "START STATUS: SUCCESS", "none")
    yield check.same("report: what was done", "dev-app held", done(run))
    again = [name for name, at in site.launched().items() if at != before[name]]
    yield check.same("EC2: started again", "none", listed(again))
    yield from agrees(check, site, run, "dev-db, preprod-app, preprod-db, test-app, test-db")


def stop(site: Site) -> Iterator[Check]:
    check = Checker(STOP)
    run = site.run(STOP, "stop")
    yield from told(check, run, "SUCCEEDED", "SHUTDOWN STATUS: SUCCESS", "none")
    stopped = "dev-db stopped, preprod-app stopped, preprod-db stopped, test-app stopped, test-db stopped"
    yield check.same("report: what was done", stopped, done(run))
    yield from agrees(check, site, run, "none")


def no_key_and_a_stop_meanwhile(site: Site) -> Iterator[Check]:
    """The two runs overlap, so EC2 is looked at after the second one only."""
    site.world.disable_key(site.fleet["KeyId"], site.ids["preprod-db"])
    start = site.begin(NO_KEY, "start")
    site.world.wait(
        lambda: site.states()["dev-db"] != "stopped", "the start asked for no server", RUN_PATIENCE_SECONDS
    )
    stop = site.begin(MEANWHILE, "stop")
    first, second = site.end(NO_KEY, start), site.end(MEANWHILE, stop)

    check = Checker(NO_KEY)
    yield from told(check, first, FAILED, "START STATUS: ABORTED", "preprod-db Client.InternalError")
    named = any(site.fleet["KeyArn"] in problem["message"] for problem in first.report.get("problems", []))
    yield check.same("report: the key", "named", "named" if named else "not named")
    deeds = "dev-app held, dev-db started, preprod-db started, test-app started, test-db started"
    yield check.same("report: what was done", deeds, done(first))

    check = Checker(MEANWHILE)
    yield from told(check, second, "SUCCEEDED", "SHUTDOWN STATUS: SUCCESS", "none")
    waited = second.phases and second.phases[0].asked >= first.ended
    order = "after the start's end" if waited else "before the start's end"
    yield check.same("history: its first phase", "after the start's end", order)
    remarks = " ".join(second.report.get("remarks", []))
    yield check.same("report: that it waited", "said", "said" if "waited" in remarks else "not said")
    stopped = "dev-db stopped, test-app stopped, test-db stopped"
    yield check.same("report: what was done", stopped, done(second))
    yield from agrees(check, site, second, "none")


def told(check: Checker, run: Run, end: str, subject: str, problems: str) -> Iterator[Check]:
    """How the run ended, and what it told of itself."""
    yield check.same("execution: its end", end, run.end)
    # Behind the fixed words stand the stack and what matters.
    found = run.report.get("subject", "no report").split(" · ")[0]
    yield check.same("report: subject", subject, found)
    yield check.same("mail: accepted by SES for", RECIPIENT, accepted_for(run))
    named = [f"{short(problem['name'])} {problem['code']}" for problem in run.report.get("problems", [])]
    yield check.same("report: problems", problems, listed(named))
    yield check.same("history: order of the tiers", "kept", order_of_tiers(run))
    yield check.same("phase log: lists that were reached", listed(reached(run)), listed(logged(run)))


def agrees(check: Checker, site: Site, run: Run, up: str) -> Iterator[Check]:
    """What EC2 says, beside what the run says."""
    states = site.states()
    yield check.same("EC2: servers up", up, listed([n for n, state in states.items() if state == "running"]))
    wrong = [short(name) for name, row in run.rows.items() if row["end_state"] != states[short(name)]]
    missing = [server.short for server in SERVERS if server.short not in {short(name) for name in run.rows}]
    yield check.same("EC2: end states that the report has wrong", "none", listed(wrong + missing))
    if run.before:
        wrong = [name for name, state in initial_states(run).items() if state != run.before[name]]
        yield check.same("EC2: initial states that the answers have wrong", "none", listed(wrong))


def short(name: str) -> str:
    """A server's name without the stack's: dev-db."""
    return "-".join(name.rsplit("-", 2)[1:])


def listed(names: list[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def accepted_for(run: Run) -> str:
    mail = run.report.get("mail", {})
    return ", ".join(mail["to"]) if mail.get("message_id") else "no mail"


def done(run: Run) -> str:
    """What the report says was done to the servers; those to which nothing was done are left out."""
    deeds = {short(name): row["action"] for name, row in run.rows.items() if row["action"] != "nothing"}
    return listed([f"{name} {deed}" for name, deed in deeds.items()])


def initial_states(run: Run) -> dict[str, str]:
    states: dict[str, str] = {}
    for phase in run.decided():
        record = phase.answer["branch"]["record"]
        tiers = [found for key, found in record.items() if key.endswith("_initial_state")]
        for name, state in [pair for tier in tiers for pair in tier.items()]:
            if isinstance(state, dict):
                states[short(name)] = state["State"]
    return states


def order_of_tiers(run: Run) -> str:
    """Whether each environment's second tier was asked for after the first one had answered."""
    environments: dict[str, list] = {}
    for phase in run.decided():
        server = next(server for server in SERVERS if server.number == phase.number)
        environments.setdefault(server.environment, []).append((phase.asked, phase.answered, server.tier))
    for environment, phases in environments.items():
        tiers = [tier for _, _, tier in sorted(phases)]
        expected = ["db", "app"] if run.phases[0].payload["action"] == "start" else ["app", "db"]
        if tiers != expected[: len(tiers)]:
            return f"{environment}: {' before '.join(tiers)}"
        if len(phases) == 2 and sorted(phases)[1][0] < sorted(phases)[0][1]:
            return f"{environment}: {tiers[1]} while {tiers[0]} went on"
    return "kept" if environments else "no phases"


def reached(run: Run) -> list[str]:
    """The lists that the history's answers are about."""
    return [server.short for server in SERVERS for phase in run.decided() if phase.number == server.number]


def logged(run: Run) -> list[str]:
    """The lists whose server the phase log names under their own head."""
    return [server.short for server in SERVERS if any(names(line, server) for line in run.log)]


def names(line: str, server: Server) -> bool:
    head = f"[{server.environment} {server.tier}] "
    return line.startswith(head) and any(f"-{server.short}{after}" in line for after in (" (", ":"))


STEPS: list[Callable[[Site], Iterator[Check]]] = [
    ready,
    dry_run,
    refused,
    tagged,
    nothing_to_do,
    stop,
    no_key_and_a_stop_meanwhile,
    figures.figures,
]
"""In this order: each finds the servers as the one before has left them."""
