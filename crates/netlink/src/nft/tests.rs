use proptest::prelude::*;

use super::*;
use crate::NETLINK_NETFILTER;
use crate::testing::Namespace;

fn table(name: &str) -> Table {
    Table {
        family: FAMILY_INET,
        name: name.to_owned(),
        flags: 0,
    }
}

/// One of each.
fn all_expressions() -> Vec<Expression> {
    vec![
        Expression::Meta(Meta::Family),
        Expression::Equal(vec![FAMILY_IPV6]),
        Expression::NetworkHeader {
            offset: 24,
            length: 16,
        },
        Expression::Mask([vec![0xff; 5], vec![0; 11]].concat()),
        Expression::NotEqual(vec![0xfd; 16]),
        Expression::NetworkHeader {
            offset: 12,
            length: 4,
        },
        Expression::Mask(vec![255, 255, 0, 0]),
        Expression::Equal(vec![10, 1, 0, 0]),
        Expression::Meta(Meta::Mark),
        Expression::Mask(0xff_u32.to_ne_bytes().to_vec()),
        Expression::NotEqual(1_u32.to_ne_bytes().to_vec()),
        Expression::Meta(Meta::Output),
        Expression::NotEqual(1_u32.to_ne_bytes().to_vec()),
        Expression::Meta(Meta::SocketUser),
        Expression::NotEqual(1337_u32.to_ne_bytes().to_vec()),
        Expression::Meta(Meta::Transport),
        Expression::Equal(vec![6]),
        Expression::TransportHeader {
            offset: 2,
            length: 2,
        },
        Expression::Equal(443_u16.to_be_bytes().to_vec()),
        Expression::Load(15001_u16.to_be_bytes().to_vec()),
        Expression::Redirect,
    ]
}

fn known(rule: &Rule) -> Vec<Expression> {
    let steps = rule.steps.iter().map(|step| match step {
        Step::Known(expression) => expression.clone(),
        Step::Other { name, data } => panic!("{name} is not understood: {data:?}"),
    });
    steps.collect()
}

#[test]
fn the_kernel_tells_rules_as_they_were_written() {
    Namespace::new().run(|| {
        let mut netlink = Netlink::open(NETLINK_NETFILTER).unwrap();
        let table = table("all");
        let written = vec![
            all_expressions(),
            vec![Expression::Return],
            vec![
                Expression::Meta(Meta::OutputName),
                Expression::NotEqual(b"pil".to_vec()),
            ],
        ];
        let mut requests = vec![
            table.create(),
            table.create_base_chain("output", "nat", HOOK_OUTPUT, PRIORITY_DSTNAT),
            table.create_base_chain("leaving", "nat", HOOK_POSTROUTING, PRIORITY_SRCNAT),
        ];
        requests.extend(written.iter().map(|rule| table.append_rule("output", rule)));
        requests.push(table.append_rule("leaving", &[Expression::Masquerade]));
        netlink.transaction(&transaction(requests)).unwrap();
        let chains = base_chains(&mut netlink).unwrap();
        let output = chains.iter().find(|chain| chain.name == "output").unwrap();
        assert_eq!(
            (output.kind.as_str(), output.hook, output.priority),
            ("nat", HOOK_OUTPUT, PRIORITY_DSTNAT)
        );
        let (leaving, found): (Vec<Rule>, Vec<Rule>) = rules(&mut netlink)
            .unwrap()
            .into_iter()
            .partition(|rule| rule.chain == "leaving");
        assert_eq!(found.iter().map(known).collect::<Vec<_>>(), written);
        assert_eq!(known(&leaving[0]), [Expression::Masquerade]);
    });
}

#[test]
fn a_table_is_replaced_whether_or_not_there_is_one() {
    Namespace::new().run(|| {
        let mut netlink = Netlink::open(NETLINK_NETFILTER).unwrap();
        let table = table("again");
        for _ in 0..2 {
            let requests = vec![table.ensure(), table.delete(), table.create()];
            netlink.transaction(&transaction(requests)).unwrap();
            assert_eq!(tables(&mut netlink).unwrap(), std::slice::from_ref(&table));
        }
    });
}

#[test]
fn garbage_in_a_dump_is_passed_over() {
    for payload in [
        vec![],
        vec![1, 0, 0],
        vec![1, 0, 0, 0, 255, 255, 1, 0],
        vec![9; 64],
    ] {
        let answer = Answer { kind: 0, payload };
        assert_eq!(read_table(&answer), None);
        assert_eq!(read_base_chain(&answer), None);
        assert_eq!(read_rule(&answer), None);
    }
}

proptest! {
    /// What the kernel answers is read without a panic, whatever it is, and what is cut off or changed is at worst
    /// not understood.
    #[test]
    fn any_answer_can_be_read(
        noise in proptest::collection::vec(any::<u8>(), 0..200),
        cut in any::<prop::sample::Index>(),
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
    ) {
        let mut rule = table("t").append_rule("c", &all_expressions()).payload;
        let whole = Answer { kind: NEW_RULE, payload: rule.clone() };
        let read = read_rule(&whole).unwrap();
        prop_assert_eq!(known(&read), all_expressions());
        for (place, value) in flips {
            let place = place.index(rule.len());
            rule[place] = value;
        }
        rule.truncate(cut.index(rule.len() + 1));
        for payload in [noise, rule] {
            let answer = Answer { kind: NEW_RULE, payload };
            let _ = (read_table(&answer), read_base_chain(&answer));
            if let Some(rule) = read_rule(&answer) {
                prop_assert!(rule.steps.len() <= answer.payload.len() / 4);
            }
        }
    }
}
