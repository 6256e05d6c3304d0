"""Long texts as sequences of sentences: each slot offers variants, each written for this project.

{driver} {town} {goal} {load} {color} are filled once a text, so that a story keeps its names.
"""

WOMEN = ["Anna", "Clara", "Frida", "Hanna", "Julia", "Lena", "Nora", "Paula"]
DRIVERS = ["Anna", "Bruno", "Clara", "David", "Emil", "Frida", "Georg", "Hanna", "Ivan", "Julia", "Karl", "Lena", "Martin", "Nora", "Oscar", "Paula"]
TOWNS = ["Altmark", "Birkenfeld", "Cranbrook", "Dunmore", "Eastport", "Fairhaven", "Greenhill", "Hartwick", "Ironbridge", "Kingsford", "Lindau", "Millbrook"]
LOADS = ["apples", "bricks", "gravel", "timber", "steel pipes", "potatoes", "cement", "paper rolls", "glass bottles", "flour", "salt", "machine parts"]
COLORS = ["red", "blue", "green", "white", "yellow", "black"]

STORY = (["a truck", "a truck driver", "a lorry", "a driver and a truck", "a heavy truck", "a journey with a truck", "the road", "a truck and a toll"], [
    ["Early in the morning {driver} climbed into a {color} truck and started the engine.", "One cold morning {driver} walked across the yard to a {color} truck.", "There once was a driver called {driver}, who owned an old {color} truck."],
    ["The trailer was full of {load}, and the load had to be in {goal} before the evening.", "The order of the day was simple: bring the {load} from {town} to {goal}.", "That day the truck had to carry {load} from {town} to {goal}."],
    ["Then the truck rolled slowly through {town}, and the people in the market turned their heads.", "The streets of {town} were still empty, and only the baker had light in the window."],
    ["Behind the last houses there was a weighbridge, and every truck had to stop there.", "At the edge of the town stood the weighbridge, a long steel deck beside the road."],
    ["{driver} drove onto the deck, switched off the engine and waited.", "The truck stood still on the deck, and the load cells did their quiet work."],
    ["The number on the display rose and rose, and then it stood still.", "The display blinked twice and showed the weight of the truck and of the {load}."],
    ["\"You are within the limit,\" said the operator, \"but your rear axle is nearly too heavy.\"", "The operator looked at the number and said that one axle carried a little too much."],
    ["So {driver} opened the trailer and moved some of the {load} to the front.", "{driver} thanked the operator and moved a part of the {load} closer to the middle."],
    ["After the second weighing the operator printed a ticket with the date, the time and the weight.", "The second weighing was perfect, and the ticket came warm out of the printer."],
    ["At noon there was a bridge with a toll booth, and a line of cars waited in front of it.", "In the middle of the day the truck came to a toll booth at a wide river."],
    ["The toll was counted by the weight and by the number of axles, and {driver} paid it without a word.", "{driver} showed the ticket, paid the toll and was glad that the numbers were right."],
    ["In the afternoon it began to rain, and the {color} truck slowed down.", "Dark clouds came over the road, and soon the rain fell so hard that everyone drove slowly."],
    ["A truck that carried too much had slipped off the road, and {driver} stopped to help.", "Beside the road stood another truck that was too heavy, and its brakes were smoking."],
    ["The customer weighed the truck again, and the two tickets said exactly the same.", "In {goal} the load was weighed once more, and not one kilogram was missing."],
    ["{driver} parked the truck, closed the door and smiled, because it had been an honest day.", "That night {driver} slept well, for the load was light on the road and the ticket was true."],
])

NIGHT = (["a weighbridge", "a weighbridge at night", "a scale", "an old weighbridge", "a weighbridge operator", "a weigh station"], [
    ["The old weighbridge stood outside {town}, where the road to {goal} begins.", "Nobody in {town} knew how old the weighbridge was."],
    ["Every night {driver} sat in the small office beside it and waited for trucks.", "{driver} worked there at night, with a lamp, a radio and a pot of tea."],
    ["One night a {color} truck with {load} stopped on the deck, and the driver looked away.", "Around midnight a {color} truck loaded with {load} rolled onto the deck."],
    ["The display showed a weight that was far above the limit.", "The number on the display was two tons above the legal weight."],
    ["\"Can you not write a smaller number?\" asked the driver and put some money on the table.", "The driver offered money and asked for a ticket with a smaller number."],
    ["{driver} pushed the money back and pointed at the ledger on the wall.", "{driver} only said no and opened the big ledger."],
    ["\"Every weighing is written down,\" said {driver}, \"and every line is tied to the line before it.\"", "In that ledger each line carried a mark of the line before, so that no page could be changed."],
    ["If one number were false, all the numbers after it would no longer fit.", "Whoever changed one number would have to change all the numbers after it."],
    ["Then he called a friend with a second truck, and they shared the {load}.", "Then the driver laughed, called for a second truck and moved half of the {load}."],
    ["At last both trucks went over the scale, and both were within the limit.", "In the end each truck was weighed alone, and each of them was light enough."],
    ["{driver} printed two tickets and wrote two new lines into the ledger.", "Two tickets were printed, and two new lines stood in the ledger."],
    ["Weeks later an auditor came, checked every line of the year and found no mistake.", "In spring an auditor came to {town}, read the whole ledger and asked who had kept it so clean."],
    ["\"The scale did,\" said {driver}, \"I only wrote down what it told me.\"", "{driver} said that it was easy, because the truth never has to be corrected."],
])

TOLLS = (["tolls", "road tolls", "the toll", "paying for roads", "toll roads", "why tolls exist"], [
    ["A toll is one of the oldest ways to pay for a road.", "People have paid tolls for roads and bridges for thousands of years."],
    ["Whoever uses the road pays for it, and whoever stays at home does not.", "The idea is simple: the one who uses the road helps to pay for it."],
    ["In early times a guard stood at a bridge and took a coin from everyone who wanted to cross.", "Long ago a bar lay across the road, and it was lifted when the coin was paid."],
    ["Later there were booths with barriers, and the cars had to wait in long lines.", "Then came the toll booth with its barrier, its bell and its long line of cars."],
    ["A modern toll for trucks depends on the distance, the weight and the number of axles.", "For trucks the toll grows with the kilometers, the weight and the axles."],
    ["The reason is the damage to the road, because a heavy axle wears it much more than a light one.", "This is fair, because one heavy axle harms the road more than many light ones."],
    ["Therefore the weight must be known, and a weighbridge is the place to find it.", "To charge by weight somebody must weigh, and so the weighbridge and the toll belong together."],
    ["The ticket of the scale is the proof, and both sides can read the same number.", "The ticket protects the driver and the operator, because both have the same number."],
    ["It must also be charged exactly once, even when a camera fails or a driver turns back.", "It is charged once and only once, whatever happens on the way."],
    ["The money should go back to the road, to its bridges, its signs and its winter service.", "With the money the operator repairs the surface, paints the lines and clears the snow."],
    ["Others say that a toll is better than a tax, because it follows the use.", "But without tolls everybody would pay for the road, even those who never drive."],
    ["The records of the tolls must be safe, so that an auditor can check them later.", "In the end the toll needs a good ledger, where each passage is written down and nothing is erased."],
    ["So a toll is more than a coin: it is a small agreement between the road and the traveller.", "A fair toll, an honest scale and a clear ticket keep the road open for all."],
])

LICENSES = (["licenses", "model licenses", "the license of a model", "license terms", "why licenses matter"], [
    ["A model license is the agreement that comes with the weights of a language model.", "Whoever downloads the weights of a model also receives a license."],
    ["It says who may use the model, for what purpose and under which conditions.", "The license allows many things, but it also asks for something in return."],
    ["The first part is usually the grant, which gives the permission to use, to copy and to change the model.", "Most licenses begin with the grant, the sentence that gives the permission."],
    ["One condition is the attribution notice, which names the owner and must travel with the model.", "A common condition is the notice, a short text that names the owner of the model."],
    ["Another one is the user cap, a number of users above which a special grant is needed.", "Some licenses have a user cap, and a company above it must ask for its own license."],
    ["There is also the acceptable use policy, a list of things that nobody may do with the model.", "The acceptable use policy forbids crime, fraud and harm to people."],
    ["A fine-tuned model keeps the license of its base, even if it has a new name.", "When a model is trained further, the terms of the base model go with it."],
    ["If a company breaks the terms, the license can end, and the model must be switched off.", "Whoever breaks the rules can lose the permission, and this is called termination."],
    ["To follow all this, a company must know some facts about itself.", "A decision about a license needs facts, and facts need evidence."],
    ["An attestation is a signed statement about such a fact, with a name and a date.", "The customer gives an attestation, and the gateway keeps it as evidence."],
    ["The gateway compares the facts with the clauses and decides before the first token.", "Weighbridge reads the terms as data and checks every request against them."],
    ["If a fact is missing, the request is refused, and the answer says which fact it is.", "When something is unknown the gateway says no and names the remedy."],
    ["In this way counsel can answer the question whether the company is within the license.", "So a license is no longer a forgotten text, but a rule that is kept every day."],
])

WEIGHTS = (["axle loads", "weights", "the weight of trucks", "weighing trucks", "heavy loads", "overloaded trucks"], [
    ["The weight of a truck is more than one number.", "To understand a heavy truck you must know three weights."],
    ["There is the gross weight, which is everything that stands on the scale.", "The gross weight is the truck with its load, its fuel and its driver."],
    ["There is the tare weight, which is the empty truck.", "The tare weight is what the truck weighs when the trailer is empty."],
    ["The difference between the two is the net weight, and it is what the customer pays for.", "Gross minus tare is the net weight, and this is the load alone."],
    ["But the road does not feel the total weight, it feels each axle.", "For the road another number is more important, and that is the axle load."],
    ["An axle that is too heavy presses the surface down and leaves tracks and cracks.", "Under a heavy axle the surface bends, and after many trucks it breaks."],
    ["Therefore the law sets a limit for the whole truck and another one for each axle.", "This is why every country has limits for trucks and for their axles."],
    ["A driver can respect both limits by loading with care.", "Good loading is an art that every driver has to learn."],
    ["The heavy pieces go low and near the middle, and the light ones fill the rest.", "Heavy goods belong near the middle, and nothing may move during the journey."],
    ["At the weighbridge the truck stops on the deck, and the load cells report the force.", "The weighbridge then shows whether the work was good."],
    ["If the number is too high, a part of the load must be taken off.", "A truck that is too heavy may not go on until it is lighter."],
    ["The ticket shows the weights, the date and the vehicle, and it is kept for years.", "All the numbers are printed on the ticket and written into the ledger."],
    ["So the scale protects the driver, the road and everyone who travels on it.", "In the end a fair weight is good for all, because a safe road is good for all."],
])

GATEWAY = (["Weighbridge", "this gateway", "the gateway", "how this gateway works", "how Weighbridge works", "the life of a request"], [
    ["Weighbridge is a gateway that stands between customers and a language model.", "Every request that wants to reach the model must first pass the gateway called Weighbridge."],
    ["It works like the scale for trucks that gave it its name.", "Think of a truck that must stop at a scale before it may take the road."],
    ["First the gateway looks at the key and finds out which customer is asking.", "The first step is the key, which tells who the customer is."],
    ["Then it finds the model, its weights, its license and its price.", "The second step is the model, with its license terms and its price."],
    ["If the model has no price or no terms, the request is refused at once.", "An unknown model or an unknown price means no, because unknown is not allowed."],
    ["The end user is counted, so that a user cap is never passed by accident.", "It also counts the users of the month, for some licenses have a cap."],
    ["When everything is in order, money is held for the most expensive answer that is possible.", "Before the first token the gateway holds enough money to pay for the whole answer."],
    ["Only then does the engine begin to write, one token after another.", "Now the answer begins, and each token is counted while it is sent."],
    ["If the limit of the customer is reached, the stream is cut at that exact token.", "The stream never goes over a limit, not even by one token."],
    ["When the answer ends, the exact price is settled, and the rest of the hold is given back.", "At the end the request is settled exactly once, and what was not needed is released."],
    ["The ledger receives a new entry with the tokens, the price and the decision.", "Each request leaves an entry in the ledger, and the entry can never be changed in secret."],
    ["The entries are joined in a tree of hashes, and its root is signed.", "A signed checkpoint protects all entries at once."],
    ["An auditor can verify a bundle without any help from the operator.", "A stranger with common tools can check every number."],
    ["So the customer knows why, counsel knows that it is allowed, and the auditor has the proof.", "In this way three people get an answer: the customer, counsel and the auditor."],
])

TOKEN = (["a token", "the journey of a token", "tokens", "a small token", "the life of a token"], [
    ["Once there was a small token that lived at the end of a long list of words.", "In the vocabulary of a little model there lived a small token."],
    ["One day a customer sent a question, and the gateway opened its first door.", "One morning a question arrived at the gateway, and all the tokens woke up."],
    ["The key was checked, the license was read, and the users of the month were counted.", "The gateway looked at the key, at the license and at the limits."],
    ["Then a little money was put aside, so that every token could be paid.", "Some money was held, because no token travels for free."],
    ["Now the model began to think, and it asked which token should come next.", "The model read the question from the first letter to the last."],
    ["Many tokens raised their hands, but this time the small one was the best.", "All the tokens were weighed, and the small one had the highest score."],
    ["It jumped into the stream and hurried along behind the others.", "So it stepped forward and took its place in the line."],
    ["At the gate stood the meter, and it counted each token that went by.", "On the way it passed the meter, which clicked once for each token."],
    ["Behind the meter the road was open, and the token flew through a long cable.", "Then the token ran through wires and over hills to the customer."],
    ["It arrived on a bright screen, where someone was waiting for it.", "On the other side a screen lit up, and the token stood in the middle of a sentence."],
    ["In the gateway the answer was settled, and the rest of the money went home.", "When the last token had gone, the price was settled exactly once."],
    ["A new line stood in the ledger, and one small part of it was the token.", "The ledger wrote a new line, and in its sum the small token had its share."],
    ["And if you ask the auditor, the token is still counted there today.", "So even the smallest token has its place, and its weight is known."],
])

AUDIT = (["an auditor", "an audit", "the auditor", "the ledger", "audits and ledgers", "an audit bundle"], [
    ["{driver} was an auditor, and she trusted nothing that she could not verify.", "In {town} there lived an auditor called {driver}, who loved clean books."],
    ["One day she was sent to a company that served a language model to its customers.", "Her new task was a company in {goal} that sold the answers of a model."],
    ["\"Prove that you kept the license,\" she said, \"and prove that every charge was right.\"", "She asked two questions: were you within the license, and was every price correct?"],
    ["They gave her a folder of plain files that was called an audit bundle.", "An hour later she had a bundle on her table, and it was only a folder of files."],
    ["In it was one line for each request, with the tokens, the price and the decision.", "There were many thousand lines, and each of them was one entry of the ledger."],
    ["{driver} started the script that came with it and read the source of the script first.", "She did not use their program, but a short script that she could read herself."],
    ["The script computed the hash of each line and joined the hashes in pairs.", "Line by line the hashes were computed and joined into a tree."],
    ["At the top there was one last hash, and it was the same as in the signed checkpoint.", "At the end one root was left, and it matched the checkpoint with its signature."],
    ["To be sure, she changed one small digit in a copy of the file.", "Then she made a copy and changed a single number in the middle."],
    ["At once the check failed and named the very line that she had touched.", "The script stopped and told her exactly which line was wrong."],
    ["Next she looked at the decisions and at the clauses that they named.", "After that she read the decisions, the clauses and the attestations."],
    ["Finally she added up the prices, and the sum was the sum of the invoices.", "The invoices agreed with the ledger to the last small unit."],
    ["It was the shortest audit of her life, and she liked it very much.", "\"I wish that all books were like this one,\" she said and closed the door."],
])

ESSAYS = [TOLLS, LICENSES, WEIGHTS, GATEWAY]
STORIES = [STORY, NIGHT, TOKEN, AUDIT]

# (what is listed, the sentence that opens the answer, items in a fixed order)
LISTS = [
    (["kinds of trucks", "types of trucks", "trucks", "different lorries"], "kinds of trucks", ["box truck", "tank truck", "dump truck", "flatbed truck", "tow truck", "refrigerated truck", "concrete mixer", "car carrier"]),
    (["parts of a truck", "truck parts"], "parts of a truck", ["engine", "cab", "axles", "wheels", "brakes", "trailer", "tank", "lights"]),
    (["things that a truck can carry", "loads", "kinds of cargo", "goods for a truck"], "things that a truck can carry", ["gravel", "timber", "bricks", "apples", "steel pipes", "cement", "paper", "salt"]),
    (["parts of a weighbridge", "weighbridge parts"], "parts of a weighbridge", ["deck", "load cells", "foundation", "cables", "display", "printer", "barrier", "office"]),
    (["things on a weigh ticket", "numbers on a weigh ticket", "entries of a weigh ticket"], "things on a weigh ticket", ["number", "date", "time", "vehicle", "gross weight", "tare weight", "net weight", "signature"]),
    (["reasons for a toll", "reasons to pay a toll", "reasons why tolls exist"], "reasons for a toll", ["building roads", "repairing bridges", "clearing snow", "charging by use", "protecting light traffic", "paying for tunnels"]),
    (["conditions of a model license", "license conditions", "things in a license", "duties of a licensee"], "conditions that a model license can have", ["attribution notice", "acceptable use policy", "user cap", "copy of the license", "territory", "termination"]),
    (["steps of a request", "things the gateway does", "steps in the gateway", "things that Weighbridge does"], "steps of a request in this gateway", ["authenticate the key", "resolve the model", "check the license", "count the user", "check acceptable use", "hold the money", "generate the answer", "settle the price"]),
    (["files in an audit bundle", "things in an audit bundle", "parts of an audit bundle"], "things in an audit bundle", ["manifest", "entries", "checkpoint", "proofs", "keys", "terms", "usage table", "verify script"]),
    (["things on an invoice", "lines of an invoice", "entries on an invoice"], "things on an invoice", ["customer", "period", "model", "tokens", "price", "discount", "tax", "total"]),
    (["limits of the gateway", "kinds of limits", "limits for a key"], "limits that the gateway knows", ["spending limit", "token limit", "requests per minute", "tokens per minute", "concurrent requests", "active users"]),
    (["colors", "colours", "colors of trucks"], "colors", ["red", "blue", "green", "white", "yellow", "black", "brown", "orange"]),
    (["days of the week", "weekdays"], "days of the week", ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]),
    (["months", "months of the year"], "months of the year", ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]),
]
WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
