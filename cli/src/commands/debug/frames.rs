//! What the claimer committed to, as the command line has it.

use std::collections::BTreeMap;
use std::path::Path;

use gavel_compiler::commit::words_to_digits;
use gavel_compiler::segment::{Element, ElementId};
use gavel_compiler::value::encode_inputs;
use serde_json::{Map, Value};

use super::Debug;
use crate::contract_file::{Loaded, object, object_of};
use crate::exit::Exit;
use crate::failure::Failure;

/// The digits of each element that a segment's leaf checks.
pub(super) fn committed(
    asked: &Debug,
    loaded: &Loaded,
    segment: usize,
) -> Result<BTreeMap<ElementId, Vec<u8>>, Failure> {
    let plan = loaded.plan();
    let found = plan.segments.get(segment);
    let ids = found
        .into_iter()
        .flat_map(|s| s.reads.iter().chain(&s.writes));
    let elements: BTreeMap<ElementId, &Element> = ids
        .filter_map(|id| Some((*id, plan.elements.get(id.index())?)))
        .collect();
    let given = match &asked.frame {
        Some(frame) => frames(frame, &elements)?,
        None => BTreeMap::new(),
    };
    let mut committed = BTreeMap::new();
    if elements.keys().all(|id| given.contains_key(id)) && asked.inputs.is_none() {
        committed = given;
    } else {
        let inputs = inputs(asked, loaded)?;
        let trace = gavel_prover::trace(plan, &inputs);
        for (id, element) in &elements {
            let words = trace.elements.get(id.index());
            let digits = words_to_digits(words.map_or(&[], Vec::as_slice), &element.digits());
            committed.insert(*id, digits);
        }
        committed.extend(given);
    }
    for text in &asked.corrupt {
        corrupt(text, &elements, &mut committed)?;
    }
    Ok(committed)
}

/// The input words: those given, or those of an example.
fn inputs(asked: &Debug, loaded: &Loaded) -> Result<Vec<u32>, Failure> {
    let Some(inputs) = &asked.inputs else {
        return example(asked, loaded);
    };
    let given = json(inputs, "inputs (a JSON object by name)")?;
    encode_inputs(&loaded.contract().inputs, &Value::Object(given))
        .map_err(|error| Failure::new(Exit::No, "inputs", format!("--inputs: {error}")))
}

fn example(asked: &Debug, loaded: &Loaded) -> Result<Vec<u32>, Failure> {
    let cases = &loaded.cases;
    let found = match &asked.case {
        Some(name) => cases.iter().find(|case| case.name == *name),
        None => cases.first(),
    };
    found.map(|case| case.words.clone()).ok_or_else(|| {
        let names: Vec<String> = cases
            .iter()
            .map(|case| format!("\"{}\"", case.name))
            .collect();
        match &asked.case {
            Some(name) if !names.is_empty() => {
                let failure = Failure::usage(format!("no case \"{name}\" in the play file"));
                failure.hint(format!("There are: {}.", names.join(", ")))
            }
            _ => {
                let failure = Failure::usage("there are no inputs to run");
                failure.hint(
                    "Give them: `--inputs '{\"name\": value}'`, or a play file beside the source.",
                )
            }
        }
    })
}

/// A JSON object: itself, or a file's.
fn json(text: &str, what: &str) -> Result<Map<String, Value>, Failure> {
    if text.trim_start().starts_with('{') {
        return object_of(text, what);
    }
    object(Path::new(text), what)
}

/// An element by its number or its name.
fn element(text: &str, elements: &BTreeMap<ElementId, &Element>) -> Result<ElementId, Failure> {
    let number = text.parse().ok().map(ElementId);
    let number = number.filter(|id| elements.contains_key(id));
    let named = || elements.iter().find(|(_, element)| element.name == text);
    number
        .or_else(|| named().map(|(id, _)| *id))
        .ok_or_else(|| {
            let all = elements.iter();
            let all: Vec<String> = all
                .map(|(id, e)| format!("{} `{}`", id.0, e.name))
                .collect();
            let failure = Failure::usage(format!("the leaf checks no element `{text}`"));
            failure.hint(format!("It checks {}.", all.join(", ")))
        })
}

/// The digits of the elements that are given by their words.
fn frames(
    text: &str,
    elements: &BTreeMap<ElementId, &Element>,
) -> Result<BTreeMap<ElementId, Vec<u8>>, Failure> {
    let mut given = BTreeMap::new();
    for (name, words) in json(text, "words by element, {\"5\": [17, 0]}")? {
        let id = element(&name, elements)?;
        let digits = elements.get(&id).map(|element| element.digits());
        let digits = digits.unwrap_or_default();
        let refuse =
            |why: String| Failure::new(Exit::No, "frame", format!("--frame: `{name}`: {why}"));
        let list = words
            .as_array()
            .cloned()
            .unwrap_or_else(|| vec![words.clone()]);
        if list.len() != digits.len() {
            let (need, have) = (digits.len(), list.len());
            return Err(refuse(format!(
                "{need} word(s) are needed, there are {have}"
            )));
        }
        let mut numbers = Vec::new();
        for (n, (word, digits)) in list.iter().zip(&digits).enumerate() {
            let text = word.as_str().and_then(|text| text.parse().ok());
            let number = word.as_u64().or(text).and_then(|n| u32::try_from(n).ok());
            let fits = |n: &u32| u64::from(*n) < 1 << (4 * u32::from(*digits));
            numbers.push(number.filter(fits).ok_or_else(|| {
                refuse(format!(
                    "word {n}, {word}, is no number of {digits} hexadecimal digit(s)"
                ))
            })?);
        }
        given.insert(id, words_to_digits(&numbers, &digits));
    }
    Ok(given)
}

/// Changes a digit: `5.0.3=7`.
fn corrupt(
    text: &str,
    elements: &BTreeMap<ElementId, &Element>,
    committed: &mut BTreeMap<ElementId, Vec<u8>>,
) -> Result<(), Failure> {
    let refuse = |why: String| Failure::usage(format!("--corrupt {text}: {why}"));
    let form = || refuse("it has the form ELEMENT.WORD.DIGIT=VALUE, e.g. 5.0.3=7".to_owned());
    let (place, value) = text.rsplit_once('=').ok_or_else(form)?;
    let mut parts = place.rsplitn(3, '.');
    let (digit, word, name) = (parts.next(), parts.next(), parts.next());
    let number = |part: Option<&str>| part.and_then(|part| part.parse::<usize>().ok());
    let (digit, word) = (
        number(digit).ok_or_else(form)?,
        number(word).ok_or_else(form)?,
    );
    let id = element(name.ok_or_else(form)?, elements)?;
    let value = value.parse::<u8>().ok().filter(|value| *value <= 15);
    let value = value.ok_or_else(|| refuse("a digit is 0 to 15".to_owned()))?;
    let digits = elements.get(&id).map(|element| element.digits());
    let digits = digits.unwrap_or_default();
    let Some(of_word) = digits.get(word).map(|of| usize::from(*of)) else {
        return Err(refuse(format!(
            "the element has {} word(s), from 0",
            digits.len()
        )));
    };
    if digit >= of_word {
        return Err(refuse(format!("the word has {of_word} digit(s), from 0")));
    }
    let before: usize = digits.iter().take(word).map(|of| usize::from(*of)).sum();
    if let Some(slot) = committed
        .get_mut(&id)
        .and_then(|all| all.get_mut(before + digit))
    {
        *slot = value;
    }
    Ok(())
}
