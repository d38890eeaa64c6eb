//! The schedules in template.yaml.

use crate::servers::read::ServersFile;
use crate::servers::schedule::Schedule;
use crate::servers::template;

const LISTS: &str = include_str!("../../../tests/servers.toml");
const TEMPLATE: &str = include_str!("../../../template.yaml");

fn schedules(tables: &str) -> Vec<Schedule> {
    ServersFile::read(format!("{LISTS}\n{tables}").as_bytes()).unwrap().schedules
}

/// What a file with these schedules adds to one without any.
fn added(tables: &str) -> String {
    let empty = template::render(TEMPLATE, &[]).unwrap();
    let full = template::render(TEMPLATE, &schedules(tables)).unwrap();
    let same = empty.lines().zip(full.lines()).take_while(|(one, other)| one == other).count();
    let more = full.lines().count() - empty.lines().count();
    full.lines().skip(same).take(more).map(|line| format!("{line}\n")).collect()
}

#[test]
fn without_schedules_the_region_is_empty() {
    let empty = template::render(TEMPLATE, &[]).unwrap();
    assert!(!empty.contains("Type: AWS::Scheduler::Schedule\n"));
    assert_eq!(template::render(&empty, &[]).unwrap(), empty);
}

#[test]
fn a_schedule_is_disabled_and_in_the_stacks_zone_unless_it_says_otherwise() {
    let tables = "[[schedule]]\nname = \"weekday_mornings-2\"\naction = \"start\"\nexpression = \"cron(0 7 ? * MON-FRI *)\"\n";
    expect_test::expect![[r#"
          ScheduledWeekdayMornings2:
            Type: AWS::Scheduler::Schedule
            Properties:
              Description: 'weekday_mornings-2 of servers.toml: starts servers'
              ScheduleExpression: 'cron(0 7 ? * MON-FRI *)'
              ScheduleExpressionTimezone: !Ref TimeZone
              State: DISABLED
              FlexibleTimeWindow: { Mode: "OFF" }
              Target:
                Arn: !Ref StateMachine
                RoleArn: !GetAtt ScheduleRole.Arn
                Input: '{"action":"start"}'
                RetryPolicy: { MaximumEventAgeInSeconds: 600, MaximumRetryAttempts: 10 }
                DeadLetterConfig: { Arn: !GetAtt MissedSchedules.Arn }
    "#]]
    .assert_eq(&added(tables).lines().map(|line| format!("{}\n", &line[2..])).collect::<String>());
}

#[test]
fn a_schedule_hands_on_what_it_says() {
    let told = added(
        "[[schedule]]\nname = \"a\"\naction = \"stop\"\nenvironments = [\"dev\"]\ncalendar = \"holidays\"\n\
         time_zone = \"Asia/Seoul\"\nenabled = true\nexpression = \"rate(2 hours)\"\n\
         [[schedule]]\nname = \"b\"\naction = \"check\"\nexpression = \"at(2026-12-24T18:00:00)\"\n",
    );
    for line in [
        r#"Input: '{"action":"stop","environments":["dev"],"calendar":"holidays"}'"#,
        r#"Input: '{"check":true}'"#,
        "ScheduleExpressionTimezone: 'Asia/Seoul'",
        "State: ENABLED",
    ] {
        assert!(told.contains(line), "{line} is not in\n{told}");
    }
}

#[test]
fn what_stood_in_the_region_goes_and_all_else_stays() {
    let one = schedules("[[schedule]]\nname = \"a\"\naction = \"stop\"\nexpression = \"rate(2 hours)\"\n");
    let full = template::render(TEMPLATE, &one).unwrap();
    assert_eq!(template::render(&full, &one).unwrap(), full);
    assert_eq!(template::render(&full, &[]), template::render(TEMPLATE, &[]));
}

#[test]
fn a_template_without_the_regions_two_lines_is_refused() {
    let empty = template::render(TEMPLATE, &[]).unwrap();
    for broken in [
        empty.replace("# End of the schedules", "# The schedules' end"),
        empty.replace("# Begin of the schedules", "# Schedules"),
        format!("{empty}{empty}"),
    ] {
        assert!(template::render(&broken, &[]).unwrap_err().contains("once each"));
    }
}
