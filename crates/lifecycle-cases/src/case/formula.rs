//! Formulas over the machine's memory, as `clamp(1000 - 1000*1Gi/nodeMemory, 3, 999)`: whole numbers.

/// The value of a formula.
pub(crate) fn formula(text: &str, node_memory: u64) -> Result<i64, String> {
    let mut reader = Formula {
        rest: text,
        node_memory: i128::from(node_memory),
    };
    let value = reader.sum().filter(|_| reader.rest.trim().is_empty());
    let value = value.and_then(|value| i64::try_from(value).ok());
    value.ok_or_else(|| {
        format!("cannot compute {text:?}: it has +, -, *, /, clamp(), min(), max() and nodeMemory")
    })
}

struct Formula<'a> {
    rest: &'a str,
    node_memory: i128,
}

impl Formula<'_> {
    fn eat(&mut self, token: char) -> bool {
        let rest = self.rest.trim_start();
        let found = rest.strip_prefix(token);
        self.rest = found.unwrap_or(rest);
        found.is_some()
    }

    fn sum(&mut self) -> Option<i128> {
        let mut value = self.product()?;
        loop {
            if self.eat('+') {
                value += self.product()?;
            } else if self.eat('-') {
                value -= self.product()?;
            } else {
                return Some(value);
            }
        }
    }

    fn product(&mut self) -> Option<i128> {
        let mut value = self.atom()?;
        loop {
            if self.eat('*') {
                value = value.checked_mul(self.atom()?)?;
            } else if self.eat('/') {
                value = value.checked_div(self.atom()?)?;
            } else {
                return Some(value);
            }
        }
    }

    fn atom(&mut self) -> Option<i128> {
        if self.eat('(') {
            let value = self.sum()?;
            return self.eat(')').then_some(value);
        }
        let rest = self.rest.trim_start();
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        let (word, rest) = rest.split_at(end);
        self.rest = rest;
        if word == "nodeMemory" {
            return Some(self.node_memory);
        }
        if !word.starts_with(|c: char| c.is_ascii_digit()) {
            return self.call(word);
        }
        let digits = word.trim_end_matches(|c: char| !c.is_ascii_digit());
        let unit = match &word[digits.len()..] {
            "" => 1,
            "Ki" => 1 << 10,
            "Mi" => 1 << 20,
            "Gi" => 1 << 30,
            _ => return None,
        };
        digits.parse::<i128>().ok()?.checked_mul(unit)
    }

    fn call(&mut self, name: &str) -> Option<i128> {
        if !self.eat('(') {
            return None;
        }
        let mut arguments = vec![self.sum()?];
        while self.eat(',') {
            arguments.push(self.sum()?);
        }
        if !self.eat(')') {
            return None;
        }
        match (name, arguments.as_slice()) {
            ("clamp", [value, least, most]) if least <= most => Some((*value).clamp(*least, *most)),
            ("min", all) => all.iter().min().copied(),
            ("max", all) => all.iter().max().copied(),
            _ => None,
        }
    }
}
