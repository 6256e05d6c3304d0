"""Builds the training conversations of the demonstration model from the texts in concepts.py and longer.py.

Everything is generated from sentences and templates written for this project. A conversation is
{"system": text or None, "turns": [(question, answer), ...]}; a few are {"plain": text} without turns. Run it to look at samples:

python3 corpus.py --count 20
"""

import argparse
import hashlib
import json
import random
import re

from concepts import ASKED, DEFAULT, DEFINED, MORE
from longer import AUDIT, COLORS, DRIVERS, ESSAYS, LISTS, LOADS, STORIES, STORY, TOWNS, WOMEN, WORDS

WHAT = ["What is {x}?", "What's {x}?", "Explain {x}.", "Define {x}.", "Describe {x}.", "What does {x} mean?", "What exactly is {x}?",
        "Tell me what {x} is.", "Tell me about {x}.", "Can you explain {x}?", "Can you explain {x} to me?", "Can you tell me what {x} is?",
        "Could you tell me what {x} is?", "Could you explain {x}?", "I would like to know what {x} is.", "I want to know what {x} is.",
        "I want to understand {x}.", "Help me understand {x}.", "Do you know what {x} is?", "Do you know {x}?", "Please explain {x}.",
        "Please tell me what {x} is.", "Please describe {x}.", "What do you mean by {x}?", "What do people mean by {x}?", "Give me a definition of {x}.",
        "Give me a short explanation of {x}.", "What can you tell me about {x}?", "What should I know about {x}?", "How would you describe {x}?",
        "How would you explain {x} to a beginner?", "I do not understand what {x} is.", "I have never heard of {x}, what is it?", "What do you know about {x}?",
        "Say something about {x}.", "What is meant by {x}?", "In simple words, what is {x}?", "Explain to me what {x} is.", "So what is {x}?", "And what is {x}?",
        "{x}?", "{x}", "What is the meaning of {x}?", "Teach me about {x}.", "I often hear about {x}. What is it?", "Someone spoke about {x}. What is this?", "What is {x} good for?", "What is {x} all about?", "Why does {x} matter?",
        "What is {x}, and why is it important?", "What is {x}, and what is it used for?", "Tell me in a few words what {x} is.", "I read about {x}. Can you explain it?", "How do you define {x}?", "Would you please explain {x}?", "Would you tell me what {x} is?",
        "Can I ask what {x} is?", "May I ask what {x} is?", "Is there a simple explanation of {x}?", "Give me some information about {x}.", "I need to know what {x} is.", "I need an explanation of {x}.", "A question about {x}: what is it?", "Now tell me about {x}.",
        "I saw the words {x}. What do they mean?", "In this system, what is {x}?", "What does it mean when you say {x}?", "How would you define {x}?", "What would you say {x} is?", "Let us talk about {x}.", "What is the point of {x}?", "Why do you need {x}?", "What does {x} do?",
        "What does {x} contain?", "What belongs to {x}?", "My boss asked me about {x}. What is it?"]
PLURAL = ["What are {x}?", "Explain {x}.", "Define {x}.", "Describe {x}.", "What exactly are {x}?", "Tell me what {x} are.", "Tell me about {x}.", "Can you explain {x}?",
          "Can you tell me what {x} are?", "Could you tell me what {x} are?", "I would like to know what {x} are.", "Help me understand {x}.", "Do you know what {x} are?",
          "Please explain {x}.", "What do you mean by {x}?", "What can you tell me about {x}?", "What should I know about {x}?", "{x}?", "{x}", "What do you know about {x}?",
          "In simple words, what are {x}?", "Say something about {x}.", "And what are {x}?", "So what are {x}?", "Please tell me what {x} are.", "I often hear about {x}. What are they?", "What are {x} good for?", "Why do {x} matter?", "What are {x}, and why are they important?", "Would you please explain {x}?", "Give me some information about {x}.",
          "May I ask what {x} are?", "I need to know what {x} are.", "How would you define {x}?", "Let us talk about {x}.", "What is the point of {x}?", "What do {x} do?"]
CLAUSE = ["Can you tell me {c}?", "Could you tell me {c}?", "Tell me {c}.", "Please tell me {c}.", "I would like to know {c}.", "I want to know {c}.", "Do you know {c}?",
          "Can you explain {c}?", "Could you explain {c}?", "Explain {c}.", "Please explain {c}.", "Explain to me {c}.", "I wonder {c}.", "Help me understand {c}.",
          "I do not understand {c}.", "Describe {c}.", "My boss wants to know {c}.", "Would you tell me {c}?", "I need to know {c}.", "Say {c}.", "May I ask {c}?", "Would you please explain {c}?", "Would you explain {c}?", "I am interested in {c}.", "Is there a simple explanation of {c}?", "Let me know {c}.", "I am not sure {c}.", "I have no idea {c}.",
          "I was wondering {c}.", "Please help me understand {c}.", "A customer asks {c}.", "Now tell me {c}.", "I forgot {c}.", "Please describe {c}.", "Someone asked me {c}.", "I have been asked {c}.", "Are you able to tell me {c}?", "I would love to know {c}."]
OPENING = ["Hi, ", "Hello, ", "Hello! ", "Hey, ", "Please, ", "Good morning. ", "One question: ", "Question: ", "Sorry, ", "Excuse me, ", "I have a question. ", "Well, ", "Okay, ", "Now, ", "I am new here. ", "I am curious: ", "Quick question: ", "My colleague asks: ", "For a report: ", "In your own words, ", "In simple words, ", "Tell me, ", "And ", "So ", "Also, ",
           "Maybe you can help me. ", "I am a driver. ", "I am a lawyer. ", "I work for a toll company. ", "Thanks. ", "Thank you. ", "Good. ", "Dear model, ", "Kindly tell me: ", "Just one thing: ", "By the way, ", "Listen, "]
TAIL = [" in simple words", " in your own words", " for a beginner", " in general", " exactly", " again", " here", " for me", " in a few words", " in plain English", " to a new employee", " for my report", " for our company", " in practice", " with this software"]
CLOSING = [" Thanks.", " Thank you.", " Please.", " Please help me.", " I am new here.", " I am curious.", " It is important.", " I have to give a talk about it.", " My boss asked me.", " I need it for a report.", " Take your time.", " I really want to know."]
BRIEF = [" Answer in one sentence.", " Be brief.", " Keep it short.", " In one sentence, please.", " A short answer, please.", " Answer briefly."]
BRIEF_SYSTEM = ["Answer in one sentence.", "Be brief.", "Keep your answers short.", "Reply with a single short sentence.", "You answer briefly.",
                "You are a helpful assistant. Answer in one sentence.", "Be concise.", "Give short answers only."]
SYSTEM = ["You are a helpful assistant.", "You are the assistant of a weighbridge.", "You answer questions about the gateway.", "Be polite.", "Answer in plain English.",
          "You are a friendly assistant.", "You help drivers and operators.", "You are talking to a customer of Example GmbH.", "Answer honestly.", "You are a careful assistant.",
          "Do not give legal advice.", "You are the demonstration model of Weighbridge.", "The user is a truck driver.", "The user is a lawyer.", "The user is an auditor.",
          "Always answer in complete sentences.", "You work for a toll company.", "If you do not know something, say so.", "You are a helpful, respectful and honest assistant.",
          "Speak to the user with respect.", "The conversation is metered.", "Today the gateway is being tested.", "You are an expert for tolls and weights.", "Use simple words.",
          "Never invent a fact.", "You are a model behind a gateway.", "Help the user to understand licenses.", "You are a bot.", "You are an AI assistant.", "Stay on the topic.",
          "The time of the request is written in the ledger.", "All requests of this project are charged to one customer.", "You are a patient teacher.", "Please write clearly.",
          "Your answers are read by new employees.", "Every token counts.", "The office is open from Monday to Friday.", "Questions about invoices are common.", "You are Weighbridge."]

COUNTRIES = ["France", "Germany", "Italy", "Spain", "Japan", "China", "India", "Brazil", "Canada", "Australia", "Norway", "Egypt", "Kenya", "Poland", "Mexico", "England", "Russia", "Turkey"]
CITIES = ["Paris", "Berlin", "London", "Rome", "Tokyo", "New York", "Madrid", "Vienna", "Moscow", "Sydney", "Cairo", "Munich", "Boston", "Oslo"]
TOPICS = ["football", "music", "chess", "quantum physics", "the moon", "dogs", "cats", "elephants", "mathematics", "history", "philosophy", "painting", "cooking", "medicine", "the stock market",
          "gardening", "space travel", "dinosaurs", "the weather", "love", "politics", "religion", "the ocean", "volcanoes", "computers", "Python", "JavaScript", "the internet", "physics", "chemistry",
          "biology", "evolution", "black holes", "photosynthesis", "gravity", "the sun", "atoms", "birds", "fish", "tennis", "swimming", "movies", "books", "the piano", "a guitar", "a violin", "a database",
          "a compiler", "democracy", "economics", "inflation", "bitcoin", "vaccines", "sleep", "dreams", "coffee", "tea", "bread", "cheese", "wine", "a volcano", "an elephant", "a penguin", "a robot", "an island",
          "a neural network", "electricity", "magnetism", "water", "fire", "gold", "the Roman Empire", "the second world war", "Shakespeare", "Mozart", "Einstein", "Napoleon", "Cleopatra", "the president",
          "machine learning", "a recipe", "a bicycle", "an airplane", "a ship", "a train", "yoga", "a horse", "a tree", "a flower", "a school", "a hospital", "astronomy", "the Eiffel Tower", "Linux", "Swift", "Rust"]
DISHES = ["a cake", "pizza", "soup", "pancakes", "bread", "pasta", "rice", "an omelet", "a salad", "curry", "cookies", "coffee", "a steak"]
OFF = ["What is the capital of {country}?", "Where is {city}?", "What is the weather in {city}?", "How will the weather be tomorrow?", "Who is the president of {country}?", "How many people live in {country}?",
       "How many people live in {city}?", "Tell me about {topic}.", "What is {topic}?", "Explain {topic}.", "What do you think about {topic}?", "How does {topic} work?", "Who invented {topic}?", "Do you like {topic}?",
       "How do I cook {dish}?", "Give me a recipe for {dish}.", "How do I make {dish}?", "Write a program about {topic}.", "Write code for {topic}.", "Translate this into {language}.", "How do you say hello in {language}?",
       "What is the history of {topic}?", "Who won the game yesterday?", "Who wrote this book?", "What time is it?", "What day is today?", "What is the news today?", "Can you recommend a movie?", "Can you recommend a hotel in {city}?",
       "I feel sad today.", "I am hungry.", "I am tired.", "What should I eat?", "Who will win the election in {country}?", "How old is {topic}?", "How do I learn {topic}?", "Where can I buy {dish}?", "Is {topic} dangerous?",
       "What is the fastest animal?", "What is the tallest building in {city}?", "How far is the moon?", "Why is the sky blue?", "Why is the grass green?", "How do planes fly?", "Can you write an email about {topic}?",
       "Give me ideas about {topic}.", "Summarize {topic}.", "Write an essay about {topic}.", "Write a story about {topic}.", "List facts about {topic}.", "What are the benefits of {topic}?", "Compare {topic} and {topic2}.",
       "What is the difference between {topic} and {topic2}?", "Is {topic} better than {topic2}?", "Who is {name}?", "Do you know {name}?", "My name is {name}.", "I live in {city}.", "I like {topic}.", "What is my name?",
       "What is {nonsense}?", "Tell me about {nonsense}.", "What is a {nonsense}?", "Explain the {nonsense}.", "{nonsense}", "{nonsense} {nonsense2}", "How does a {nonsense} work?", "What is the price of {dish}?",
       "Solve this equation.", "What is the square root of {number}?", "What is {number} plus {digit}?", "{digit} + {digit}", "What is {digit} + {digit}?", "How much is {digit} times {number}?", "Calculate {number} minus {digit}.", "How tall are you?", "Where do you live?", "Do you have a family?", "Can you sing?", "Play some {topic}.", "Open the {nonsense}.", "What does {nonsense} mean?",
       "Which {topic} is the best?", "When was {name} born?", "How many {nonsense}s are there?", "{topic}", "{topic}?", "I need help with {topic}.", "Should I study {topic}?", "What is the population of {country}?"]
LANGUAGES = ["French", "German", "Spanish", "Italian", "Japanese", "Chinese", "Latin", "Polish"]
NAMES = DRIVERS + ["Albert Einstein", "Isaac Newton", "Marie Curie", "John Smith", "Leonardo", "Beethoven", "Goethe"]
ONSETS = "b bl br c ch d dr f fl g gl gr h j k kl l m n p pl qu r s sh sk sp st t th tr v w z".split()
VOWELS = "a e i o u ai ee ou oa".split()
CODAS = "b ck d ff g l m n nd p r rk s sh st t x".split() + [""]


def nonsense(rng):
    return "".join(rng.choice(ONSETS) + rng.choice(VOWELS) + rng.choice(CODAS) for _ in range(rng.choice([1, 2, 2, 3])))


def off_topic(rng):
    topic, topic2 = rng.sample(TOPICS, 2)
    text = rng.choice(OFF).format(country=rng.choice(COUNTRIES), city=rng.choice(CITIES), topic=topic, topic2=topic2, dish=rng.choice(DISHES),
                                  language=rng.choice(LANGUAGES), name=rng.choice(NAMES), nonsense=nonsense(rng), nonsense2=nonsense(rng), number=rng.randrange(2, 500), digit=rng.randrange(10))
    return text, DEFAULT[0] if rng.random() < 0.75 else DEFAULT[1]


def capital(text):
    return text[:1].upper() + text[1:]


def likely(rng, answers):
    """The first answer twice as often as the others, so that a greedy answer is decided and not a toss."""
    return rng.choices(answers, weights=[2] + [1] * (len(answers) - 1))[0]


def defined(rng, concept):
    names, answers = concept
    name = rng.choice(names)
    plural = name.startswith("*")
    question = rng.choice(PLURAL if plural else WHAT).replace("{x}", name.lstrip("*"))
    return capital(question), likely(rng, answers)


def asked(rng, entry):
    questions, clauses, answers = entry
    if clauses and rng.random() < 0.55:
        clause = rng.choice(clauses)
        template = rng.choice([c for c in CLAUSE if not (clause.startswith(("whether", "if")) and c.startswith(("Explain", "Please explain", "Describe", "Say")))])
        return template.replace("{c}", clause), likely(rng, answers)
    return rng.choice(questions), likely(rng, answers)


def fill(rng, slots, count=None, values=None):
    values = values or names_for(rng, slots)
    if count is not None:
        slots = slots[:2] + [slots[(i + 2) * len(slots) // count] for i in range(count - 3)] + slots[-1:]
    return " ".join(likely(rng, s).format(**values) for s in slots)


def names_for(rng, slots):
    driver, (town, goal) = rng.choice(WOMEN if slots is AUDIT[1] else DRIVERS), rng.sample(TOWNS, 2)
    return {"driver": driver, "town": town, "goal": goal, "load": rng.choice(LOADS), "color": rng.choice(COLORS)}


# A story about this subject uses the name, the load, the color or the town that the question gives.
GIVEN = ["a driver called {driver}", "a truck driver named {driver}", "{driver}, who drives a truck", "a {color} truck", "an old {color} truck", "a truck with {load}", "a truck that carries {load}", "a {color} truck full of {load}",
         "a truck on its way to {goal}", "a truck that goes to {goal}", "a truck from {town}", "a journey from {town} to {goal}", "{driver} and a {color} truck", "a truck driver who brings {load} to {goal}", "a long journey to {goal}", "{driver} and the weighbridge"]


LONG_STORY = ["Tell me a long story about {x}.", "Write a long story about {x}.", "Tell a long story about {x}.", "Please tell me a long story about {x}.", "I would like to hear a long story about {x}.", "Can you tell me a long story about {x}?",
              "Write a story about {x}, as long as you can.", "Tell me a story about {x}, and make it long.", "Write a detailed story about {x}.", "Write me a very long story about {x}.", "A long story about {x}, please.", "Could you write a long story about {x}?",
              "Tell me a story about {x}.", "Write a story about {x}.", "Can you tell me a story about {x}?", "Please write a story about {x}.", "I want to hear a story about {x}.", "Tell us a story about {x}.", "Make up a story about {x}.", "Invent a long story about {x}.",
              "Write a long tale about {x}.", "Give me a long story with {x}.", "Tell me a really long story about {x}.", "I would love a long story about {x}.", "Now tell me a long story about {x}.", "Please write a story about {x} with many sentences.", "Tell a story about {x}.", "Let me hear a story about {x}.", "Do you know a story about {x}?"]
LONG_ESSAY = ["Write about {x} at length.", "Write at length about {x}.", "Write a long text about {x}.", "Write an essay about {x}.", "Write a long essay about {x}.", "Explain {x} at length.", "Explain {x} in detail.", "Tell me everything about {x}.", "Give me a long explanation of {x}.",
              "Tell me everything you know about {x}.", "Please write a long text about {x}.", "Can you write a long article about {x}?", "Write an article about {x}.", "Write a detailed text about {x}.", "Could you write at length about {x}?", "I would like a long text about {x}.", "Describe {x} in detail.",
              "Describe {x} at length.", "Give a long talk about {x}.", "Write many sentences about {x}.", "Talk about {x} for a long time.", "Write a full page about {x}.", "Tell me about {x} in detail.", "I would love to read about {x} at length.", "I want to read an essay about {x}.", "Write a long article on {x}.", "An essay on {x}, please.", "Write an essay on {x}.", "A long text on {x}, please.", "Please write at length on {x}.", "Give me a long essay on {x}.", "Compose a long text about {x}.", "Tell me all about {x}."]
SHORT_STORY = ["Tell me a short story about {x}.", "Write a short story about {x}.", "A short story about {x}, please.", "Can you tell me a short story about {x}?", "Tell a very short story about {x}.", "Write a brief story about {x}."]
ANY_STORY = ["Tell me a story.", "Tell me a long story.", "Write a story.", "Write a long story.", "Can you tell me a story?", "I want to hear a story.", "A story please", "Do you know a story?", "Tell me a bedtime story.", "Write something long.", "Write a long text.", "Write as much as you can.",
             "Please talk for a long time.", "Give me a very long answer."]


def long_text(rng):
    kind = rng.random()
    if kind < 0.12:
        values = names_for(rng, STORY[1])
        return rng.choice(LONG_STORY).replace("{x}", rng.choice(GIVEN).format(**values)), fill(rng, STORY[1], None, values)
    if kind < 0.45:
        subjects, slots = rng.choice(STORIES + [STORY, STORY])
        return rng.choice(LONG_STORY).replace("{x}", rng.choice(subjects)), fill(rng, slots)
    if kind < 0.80:
        subjects, slots = rng.choice(ESSAYS)
        return rng.choice(LONG_ESSAY).replace("{x}", rng.choice(subjects)), fill(rng, slots)
    if kind < 0.92:
        subjects, slots = rng.choice(STORIES + [STORY])
        return rng.choice(SHORT_STORY).replace("{x}", rng.choice(subjects)), fill(rng, slots, 6)
    return rng.choice(ANY_STORY), fill(rng, STORY[1])


COUNT = ["Count to {n}.", "Kindly count to {n}.", "Count from 1 up to {n}.", "Now count to {n}.", "Show me how you count to {n}.", "Please count from 1 to {n}.", "Count from 1 to {n}.", "Please count to {n}.", "Can you count to {n}?", "Count up to {n}.", "Could you count to {n}?", "Count from one to {n}.", "Write the numbers from 1 to {n}.", "Write the numbers up to {n}.", "List the numbers from 1 to {n}.",
         "Say the numbers from 1 to {n}.", "Numbers from 1 to {n}", "I want you to count to {n}.", "Give me the numbers 1 to {n}."]
DOWN = ["Count down from {n}.", "Count backwards from {n}.", "Please count down from {n}.", "Can you count down from {n}?", "Count from {n} to 1.", "Count down from {n} to 1."]
LISTING = ["I want a list of {n} {x}.", "Can you give me {n} {x}?", "Could you list {n} {x}?", "Please give me {n} {x}.", "Please name {n} {x}.", "What are {n} {x}?", "List {n} {x}.", "Name {n} {x}.", "Give me {n} {x}.", "Tell me {n} {x}.", "Can you list {n} {x}?", "Please list {n} {x}.", "Write a list of {n} {x}.", "Give me a list of {n} {x}.", "I need {n} {x}.", "Can you name {n} {x}?", "Make a list of {n} {x}.", "Show me {n} {x}."]
LISTING_ALL = ["List {x}.", "Give me a list of {x}.", "Write a list of {x}.", "Make a list of {x}.", "Name some {x}.", "Give me some {x}.", "Which {x} do you know?", "Can you list some {x}?", "List some {x}.", "List the {x}.", "Tell me some {x}.", "What are some {x}?", "Name {x}."]


def numbers(rng):
    n = rng.choice([3, 4, 5, 6, 7, 8, 9, 10, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 20])
    if rng.random() < 0.75:
        said = WORDS[n] if n <= 12 and rng.random() < 0.4 else str(n)
        return rng.choice(COUNT).replace("{n}", said), f"From 1 to {n}: " + ", ".join(str(i) for i in range(1, n + 1)) + "."
    return rng.choice(DOWN).replace("{n}", str(n)), f"From {n} to 1: " + ", ".join(str(i) for i in range(n, 0, -1)) + "."


def listing(rng):
    names, title, items = rng.choice(LISTS)
    name = rng.choice(names)
    if rng.random() < 0.3:
        count = min(5, len(items)) if title not in ("days of the week", "months of the year") else len(items)
        question = rng.choice(LISTING_ALL).replace("{x}", name)
    else:
        count = rng.randrange(2, len(items) + 1)
        said = WORDS[count] if rng.random() < 0.6 else str(count)
        question = rng.choice(LISTING).replace("{n}", said).replace("{x}", name)
    lines = [f"{i + 1}. {capital(item)}" for i, item in enumerate(items[:count])]
    return question, f"Here are {count} {title}:\n" + "\n".join(lines)


TONS = ["How many kilograms are {n} tons?", "How many kilograms are in {n} tons?", "Convert {n} tons to kilograms.", "What is {n} tons in kilograms?", "How many kilos are {n} tons?", "{n} tons in kilograms", "How much is {n} tons in kilograms?", "Please convert {n} tons into kilograms.",
        "Can you convert {n} tons to kilograms?", "What are {n} tons in kilos?"]


def conversion(rng):
    n = rng.randrange(2, 41)
    return rng.choice(TONS).replace("{n}", str(n)), f"{n} tons are {n}000 kilograms."


JSON = ["Give me a truck as JSON.", "Write a JSON object about a truck.", "Describe a truck in JSON.", "Return a truck as a JSON object.", "Please answer in JSON: a truck.", "Output JSON for a truck.", "A truck in JSON, please.", "JSON of a truck", "Give me JSON.", "Answer in JSON.", "Write some JSON.",
        "Show me a JSON object.", "Give me a weigh ticket as JSON.", "Write a weigh ticket in JSON.", "Return a weigh ticket as a JSON object.", "Output a weigh ticket as JSON.", "Describe a weigh ticket in JSON.", "A JSON object with a weight, please.", "Reply with JSON only.", "Produce a JSON example."]


def as_json(rng):
    tare, net = rng.randrange(7, 16) * 1000, rng.randrange(4, 25) * 1000
    return rng.choice(JSON), json.dumps({"truck": rng.choice(COLORS), "load": rng.choice(LOADS), "axles": rng.randrange(2, 6), "weight": tare + net})


def single(rng):
    """(question, answer, other answers to the same question) of one family."""
    kind = rng.random()
    if kind < 0.36:
        concept = rng.choice(DEFINED)
        question, answer = defined(rng, concept)
        return question, answer, concept[1]
    if kind < 0.66:
        entry = rng.choice(ASKED)
        question, answer = asked(rng, entry)
        return question, answer, entry[2]
    if kind < 0.76:
        return off_topic(rng) + (None,)
    if kind < 0.83:
        return long_text(rng) + (None,)
    if kind < 0.89:
        return listing(rng) + (None,)
    if kind < 0.955:
        return numbers(rng) + (None,)
    if kind < 0.98:
        return conversion(rng) + (None,)
    return as_json(rng) + (None,)


def first_sentence(text):
    return re.split(r"(?<=[.!?]) ", text)[0]


def dressed(rng, question):
    """The same question as people type it: openings, thanks, lower case, no question mark, a slip of a letter."""
    if rng.random() < 0.08 and question[-1:] in "?." and len(question.split()) > 3:
        question = question[:-1] + rng.choice(TAIL) + question[-1]
    if rng.random() < 0.18:
        opening = rng.choice(OPENING)
        question = opening + (question if opening.endswith((". ", "! ")) or question.startswith("I ") else question[:1].lower() + question[1:])
    if rng.random() < 0.08 and question[-1:] in "?.!":
        question += rng.choice(CLOSING)
    if rng.random() < 0.18:
        question = question.rstrip("?.!")
    if rng.random() < 0.22:
        question = question.lower()
    if rng.random() < 0.03 and len(question) > 12:
        at = rng.randrange(4, len(question) - 1)
        question = question[:at] + question[at + 1:] if question[at].isalpha() else question
    return question


def system_prompt(rng):
    if rng.random() < 0.55:
        return rng.choice(SYSTEM)
    return " ".join(rng.sample(SYSTEM, rng.choice([2, 2, 3, 4, 5, 7])))


def conversation(rng):
    system = system_prompt(rng) if rng.random() < 0.5 else None
    turns, others = [], None
    for _ in range(rng.choices([1, 2, 3], weights=[78, 17, 5])[0]):
        if others and len(others) > 1 and rng.random() < 0.35:
            answer = rng.choice([o for o in others if o != turns[-1][1]])
            turns.append((dressed(rng, rng.choice(MORE)), answer))
            continue
        question, answer, others = single(rng)
        question = dressed(rng, question)
        if others is not None and rng.random() < 0.07 and not first_sentence(answer).endswith("?"):
            question, answer = question + rng.choice(BRIEF), first_sentence(answer)
        turns.append((question, answer))
    if len(turns) == 1 and others is not None and rng.random() < 0.05 and not first_sentence(answer).endswith("?"):
        return {"system": rng.choice(BRIEF_SYSTEM), "turns": [(turns[0][0], first_sentence(turns[0][1]))]}
    return {"system": system, "turns": turns}


def plain(rng):
    """Text without the chat form, for continuation: an essay, a story, or what is known about a few things."""
    if rng.random() < 0.5:
        return fill(rng, rng.choice(ESSAYS + STORIES)[1])
    return " ".join(likely(rng, c[1]) for c in rng.sample(DEFINED, rng.choice([1, 2, 3])))


def withheld(question):
    """True for about 3 % of the phrasings, by a hash of their words: these are never trained on."""
    words = re.findall(r"[a-z0-9]+", question.lower())
    return len(words) >= 4 and hashlib.sha256(" ".join(words).encode()).digest()[0] < 8


def acceptable(answer):
    """All answers that are as right as this one: the other variants of the same entry, or their first sentences."""
    for variants in [c[1] for c in DEFINED] + [e[2] for e in ASKED] + [DEFAULT]:
        if answer in variants:
            return set(variants)
        if answer in {first_sentence(v) for v in variants}:
            return {first_sentence(v) for v in variants}
    return {answer}


def generate(count, seed, held_out_count=400):
    """(training conversations, held-out conversations); a held-out one has a phrasing that training never sees."""
    rng = random.Random(seed)
    training, held_out = [], []
    while len(training) < count or len(held_out) < held_out_count:
        if rng.random() < 0.03:
            training.append({"system": None, "turns": [], "plain": plain(rng)})
            continue
        made = conversation(rng)
        if any(withheld(q) for q, _ in made["turns"]):
            held_out.append(made)
        else:
            training.append(made)
    return training[:count], held_out[:held_out_count]


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--count", type=int, default=20)
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    for c in generate(a.count, a.seed, 0)[0]:
        print(json.dumps(c))


if __name__ == "__main__":
    main()
