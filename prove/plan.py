"""What is created, and what it may cost: the six servers, their lists, the money. Nothing here calls AWS."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

PREFIX = "ec2-start-stop-prove-"
# SES's mailbox simulator takes mail and answers nothing; it is nobody's address, and works in the sandbox.
RECIPIENT = "success@simulator.amazonses.com"
INSTANCE_TYPE = "t3.nano"
# The runs take about 35 minutes, the servers and the key exist for about an hour. Twice that is counted.
HOURS = 2.0


@dataclass(frozen=True)
class Server:
    """One of the six; `output` is what fleet.yaml calls it."""

    environment: str
    tier: str
    output: str
    number: int
    special: str = ""

    @property
    def short(self) -> str:
        return f"{self.environment}-{self.tier}"

    def name(self, stack: str) -> str:
        """Its Name tag: no other server of the account has it."""
        return f"{stack}-{self.short}"


SERVERS = [
    Server("dev", "app", "DevApp", 0, "with the hold tag"),
    Server("test", "app", "TestApp", 1),
    Server("preprod", "app", "PreprodApp", 2),
    Server("dev", "db", "DevDb", 3),
    Server("test", "db", "TestDb", 4, "without the permission tag"),
    Server("preprod", "db", "PreprodDb", 5, "on a volume encrypted with a customer key"),
]


def new_name() -> str:
    """The product's stack; everything that is created carries this name."""
    return PREFIX + uuid.uuid4().hex[:6]


def fleet_of(stack: str) -> str:
    """The stack of the six servers."""
    return f"{stack}-fleet"


def servers_toml(stack: str) -> str:
    """The product's lists: one server each."""
    lists = [
        f'[[list]]\nnumber = {server.number}\nenvironment = "{server.environment}"\ntier = "{server.tier}"\n'
        f'name = "{server.environment} {server.tier} servers"\nservers = ["{server.name(stack)}"]\n'
        'ready = "status-checks"\ntimeout_minutes = 20\n'
        for server in SERVERS
    ]
    return "\n".join(['tiers = ["db", "app"]\n', *lists])


@dataclass(frozen=True)
class Cost:
    """One line of the bill, in US dollars of us-east-1."""

    what: str
    quantity: float
    price: float

    @property
    def cents(self) -> float:
        return 100 * self.quantity * self.price


# Prices as in docs/cost.md; those of EC2, EBS and KMS are from memory. A month has 730 hours.
COSTS = [
    Cost(f"6 {INSTANCE_TYPE} servers, {HOURS:g} hours each", 6 * HOURS, 0.0052),
    Cost(f"6 volumes of 8 GB, {HOURS:g} hours", 6 * 8 * HOURS / 730, 0.08),
    Cost(f"1 KMS key, {HOURS:g} hours", HOURS / 730, 1.0),
    Cost("Lambda: 6,500 seconds at 128 MB", 6500 / 8, 0.0000166667),
    Cost("Step Functions: 250 transitions", 250, 0.000025),
    Cost(f"CloudWatch: 20 metrics and 8 alarms, {HOURS:g} hours", 28 * HOURS / 730, 0.30),
    Cost("CloudWatch Logs, SES, SQS, SNS, S3", 1, 0.005),
]


def cents() -> float:
    return sum(cost.cents for cost in COSTS)


def lines(stack: str, account: str, region: str, sender: str) -> list[str]:
    """What a person reads before saying yes."""
    servers = [f"    {s.name(stack)}{f'  ({s.special})' if s.special else ''}" for s in SERVERS]
    return [
        f"In account {account}, Region {region}, this creates:",
        f"  the stack {stack}: the product of this directory with lists of its own, schedules off;",
        "    its function may start and stop the six servers below and no other one",
        f"  the stack {fleet_of(stack)}: a network without internet, a queue, a KMS key, and",
        *servers,
        f"  mails from {sender} to {RECIPIENT} (SES's mailbox simulator)",
        "  if it is not there: sam's own bucket (stack aws-sam-cli-managed-default), which stays",
        "It takes about an hour, after a first compile of 15 minutes,",
        f"and may cost about {cents():.0f} US cents (prices of us-east-1, no free tier):",
        *(f"  {cost.cents:5.1f}  {cost.what}" for cost in COSTS),
        "At the end, after Ctrl-C and after an error everything is deleted.",
        "KMS deletes the key 7 days later; it costs nothing until then.",
    ]
