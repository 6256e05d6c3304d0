"""What the demonstration model knows: questions and answers, every sentence written for this project.

DEFINED: (names, answers). A leading * marks a plural name. Each answer's first sentence stands alone.
ASKED: (direct questions, clauses, answers). A clause completes "Can you tell me ...".
"""

DEFINED = [
    # Weighing and roads
    (["a weighbridge", "a truck scale", "a weigh bridge", "*weighbridges", "a road scale for trucks"], [
        "A weighbridge is a large scale set into the ground that weighs a whole truck with its load. Sensors under the deck measure the force, and the operator prints a ticket with the weight.",
        "A weighbridge is a scale for trucks. The truck drives onto a steel or concrete deck, and load cells under the deck report its weight."]),
    (["a load cell", "*load cells", "the sensor in a weighbridge"], [
        "A load cell is a sensor that turns a force into an electrical signal. A weighbridge stands on several load cells and adds up what they report.",
        "A load cell is a small metal body that bends very slightly under weight. Strain gauges on it measure the bending, and the scale turns that into kilograms."]),
    (["an axle load", "*axle loads", "an axle weight", "the weight on an axle"], [
        "An axle load is the part of the weight of a vehicle that rests on one axle. Roads and bridges are built for a certain axle load, so the law sets a limit for it.",
        "An axle load is the weight that one axle presses onto the road. Even a truck with a legal total weight can be too heavy on one axle when the load is badly placed."]),
    (["the gross weight", "gross vehicle weight", "the total weight of a truck", "gross mass"], [
        "The gross weight is the weight of the vehicle together with its load, its fuel and its driver. It is what the weighbridge shows when a loaded truck stands on it.",
        "The gross weight is everything that stands on the scale. Take away the tare weight and you get the net weight of the load."]),
    (["the tare weight", "tare", "the empty weight of a truck", "unladen weight"], [
        "The tare weight is the weight of the empty vehicle. It is subtracted from the gross weight to find the weight of the load.",
        "The tare is the weight of the truck without its load. A careful operator weighs the empty truck again from time to time, because fuel, mud and repairs change it."]),
    (["the net weight", "net weight", "the weight of the load", "the weight of the cargo"], [
        "The net weight is the weight of the load alone. It is the gross weight minus the tare weight.",
        "The net weight is what the truck carries. The customer pays for the net weight, so both weighings must be right."]),
    (["a weigh ticket", "a weighbridge ticket", "*weigh tickets", "the ticket of a weighbridge"], [
        "A weigh ticket is the printed record of a weighing. It shows the date, the vehicle, the gross weight, the tare weight and the net weight.",
        "A weigh ticket is the proof that a truck was weighed. It carries a number, a time and a weight, and nobody may change it afterwards."]),
    (["a toll", "*tolls", "a road toll", "*road tolls"], [
        "A toll is a fee for the use of a road, a bridge or a tunnel. The money pays for building the road and for keeping it in repair.",
        "A toll is money paid to pass. For trucks it often depends on the distance, the weight and the number of axles."]),
    (["a toll booth", "a toll station", "*toll booths", "a toll plaza"], [
        "A toll booth is the place where drivers pay for the road. Today many of them are replaced by cameras and by radio units in the vehicle.",
        "A toll booth is a small house beside the lane with a barrier. The barrier opens when the toll has been paid."]),
    (["a distance based toll", "a toll by distance", "a toll per kilometer"], [
        "A distance based toll grows with every kilometer that a vehicle drives. A small unit in the truck counts the kilometers, and the operator sends a bill.",
        "A distance based toll charges for the way and not for the day. Whoever drives more pays more."]),
    (["an overloaded truck", "an overweight truck", "*overloaded trucks", "overloading"], [
        "An overloaded truck carries more than the law or its own construction allows. It brakes badly, damages the road and may not drive on until the extra load is taken off.",
        "An overloaded truck is a truck above its legal weight. The weighbridge finds it, and the driver must unload before the journey goes on."]),
    (["a truck", "*trucks", "a lorry", "*lorries"], [
        "A truck is a road vehicle that is built to carry loads. It has a cab for the driver, an engine, two or more axles and a space for the cargo.",
        "A truck is a large vehicle for goods. The more axles it has, the more weight it may carry."]),
    (["a trailer", "*trailers", "a truck trailer"], [
        "A trailer is a vehicle without an engine that is pulled by a truck. It has its own axles and its own legal weight.",
        "A trailer carries cargo behind a truck. Together they are weighed as one combination, and each axle must still be within its limit."]),
    (["an axle", "*axles", "the axle of a truck"], [
        "An axle is the bar that joins two wheels and carries part of the weight of the vehicle. Heavy trucks have more axles so that the load is spread over more wheels.",
        "An axle connects the wheels on both sides of a vehicle. The weight that rests on it is called the axle load."]),
    (["a cargo", "cargo", "a load", "freight"], [
        "Cargo is the goods that a vehicle carries. It must be tied down and spread well, so that no axle becomes too heavy.",
        "Cargo is what a truck is paid to bring from one place to another. Its weight is the net weight on the ticket."]),
    (["calibration", "the calibration of a scale", "calibrating a weighbridge"], [
        "Calibration means comparing a scale with known weights and correcting it. A weighbridge is calibrated regularly, so that its tickets can be trusted.",
        "Calibration is a test with weights that are known exactly. If the scale shows something else, it is adjusted and sealed again."]),
    (["weighing in motion", "a weigh in motion system", "*dynamic scales"], [
        "Weighing in motion means that trucks are weighed while they drive. It is faster than a weighbridge but less exact, so a suspicious truck is weighed again at rest.",
        "Weighing in motion uses sensors in the road. They find trucks that may be too heavy, and a standing scale gives the final answer."]),
    (["a bridge", "*bridges", "a road bridge"], [
        "A bridge carries a road over a river, a valley or another road. Every bridge has a weight limit, and a heavy truck must respect it.",
        "A bridge is a structure that lets traffic cross over something. A sign in front of it tells how much weight it can bear."]),
    (["a road", "*roads", "a highway", "a motorway"], [
        "A road is a way made for vehicles. Heavy axles wear it out much faster than light ones, which is one reason for limits and tolls.",
        "A road is a prepared way between two places. Somebody must pay for it, and a toll is one way to do that."]),
    (["a kilogram", "a kilo", "*kilograms"], [
        "A kilogram is the unit of mass in the metric system. One thousand kilograms are one ton.",
        "A kilogram is one thousand grams. A weighbridge usually shows the weight of a truck in kilograms."]),
    (["a ton", "a tonne", "a metric ton", "*tons"], [
        "A metric ton is one thousand kilograms. A heavy truck in Europe often weighs up to forty tons with its load.",
        "A ton is a unit for heavy things and equals one thousand kilograms. Trucks and their loads are measured in tons."]),
    (["a scale", "*scales", "a weighing machine"], [
        "A scale is an instrument that measures weight. A weighbridge is a very large scale for vehicles.",
        "A scale tells how heavy something is. A good scale is calibrated, sealed and honest to both sides."]),
    # Licenses
    (["a license", "*licenses", "a licence", "a license agreement"], [
        "A license is a permission with conditions. The owner of a work says what others may do with it and what they must do in return.",
        "A license is a text in which the owner of something allows its use under certain terms. Whoever does not keep the terms loses the permission."]),
    (["a model license", "*model licenses", "the license of a model", "an AI model license"], [
        "A model license says who may use the weights of a model, for what and under which conditions. It often names a user cap, an acceptable use policy and an attribution notice.",
        "A model license is the agreement that comes with the weights of a model. It can limit who may use the model, how it may be used and what must be shown to others."]),
    (["a user cap", "*user caps", "a limit on users in a license", "an active user limit"], [
        "A user cap is a number of users above which a license no longer applies by itself. A company above the cap must ask the owner of the model for its own license.",
        "A user cap limits how many people a licensee may serve. The Llama 2 license, for example, names 700 million monthly active users on one date."]),
    (["acceptable use", "an acceptable use policy", "*acceptable use policies", "an acceptable use rule"], [
        "An acceptable use policy is a list of things that a model must not be used for. The gateway checks the prompt and the answer against that list.",
        "Acceptable use means that some purposes are forbidden, such as crime, fraud or harm to people. The policy is part of the license, so breaking it ends the permission."]),
    (["an attribution notice", "attribution", "*attribution notices", "a copyright notice"], [
        "An attribution notice is a text that names the owner of the model and its license. Whoever passes on the model must pass on the notice too.",
        "An attribution notice tells users whose work they are using. The gateway keeps the notice beside the model and links it in every response."]),
    (["an attestation", "*attestations", "a signed attestation"], [
        "An attestation is a signed statement that a fact is true. A customer attests, for example, how many users it has, and the gateway records who signed and when it expires.",
        "An attestation is a written promise about a fact, with a name, a role and a date. The gateway uses it to decide and keeps it as evidence."]),
    (["a licensee", "*licensees", "the party of a license"], [
        "A licensee is the person or company that receives a license. The licensee must keep the conditions of the license.",
        "A licensee is whoever was given the permission. The other side is the licensor, who owns the work."]),
    (["a licensor", "the owner of a model", "*licensors"], [
        "A licensor is the owner who gives a license. The licensor decides the terms, and the licensee decides whether to accept them.",
        "A licensor is the party that allows others to use its work. For a model this is usually the company that trained it."]),
    (["a clause", "*clauses", "a clause of a license"], [
        "A clause is a numbered part of an agreement. When the gateway refuses a request, it names the clause that is the reason.",
        "A clause is one rule inside a license. Every decision of the gateway points to the clauses it used."]),
    (["the termination of a license", "license termination", "a terminated license"], [
        "Termination means that a license ends. After that the model may not be used any more, and the gateway refuses every request to it.",
        "Termination is the end of the permission. It can follow from a broken rule, and the gateway records the day and the reason."]),
    (["a grant", "*grants", "a license grant", "a recorded grant"], [
        "A grant is a permission that the owner gives to one party. When a company is above a user cap, only a recorded grant opens the gate.",
        "A grant is a special permission from the licensor. The gateway stores it with its date and its scope and uses it in the decision."]),
    (["an open source license", "*open source licenses", "the Apache license"], [
        "An open source license lets everyone use, change and share a work under simple conditions. I am released under the Apache License 2.0, which is one of them.",
        "An open source license gives wide permission to all. Usually you must keep the notice and the text of the license."]),
    (["a fine-tuned model", "fine-tuning", "*fine-tuned models", "a derivative of a model"], [
        "A fine-tuned model is a model that was trained further for a special task. It still carries the license of its base model.",
        "Fine-tuning means training a finished model a little more on new data. The terms of the base model follow it, whatever its new name is."]),
    (["counsel", "a lawyer", "legal counsel"], [
        "Counsel is the lawyer who advises a company. Counsel asks whether the company is within the license, and the gateway can show the answer with its evidence.",
        "Counsel is a legal adviser. A good record of decisions saves counsel much time."]),
    # The gateway
    (["Weighbridge", "this gateway", "the gateway", "this software", "the Weighbridge gateway", "this server", "this project"], [
        "Weighbridge is a gateway for language models. It decides whether a request is allowed under the license of the model, meters each token, holds the money before the first token and keeps a tamper-evident ledger.",
        "Weighbridge is a server that stands between customers and a model. It checks the license, counts the tokens, charges exactly once and records every decision."]),
    (["a gateway", "*gateways", "an AI gateway", "a model gateway"], [
        "A gateway is a server that stands in front of other servers and decides which requests may pass. Weighbridge is a gateway for language models.",
        "A gateway is a door for requests. It checks who is asking, counts what is used and passes the request on or refuses it."]),
    (["a token", "*tokens", "a token of text"], [
        "A token is a small piece of text, often a short word or a part of one. Models read and write tokens, and the gateway counts each of them.",
        "A token is the unit in which language models measure text. Prices are given per million tokens."]),
    (["metering", "token metering", "the metering of tokens", "usage metering"], [
        "Metering means measuring how much of a service is used. Weighbridge meters each token of the prompt and of the answer and writes the count into the ledger.",
        "Metering is the exact count of what a customer uses. Here it is done token by token, while the answer is being written."]),
    (["a hold", "*holds", "a money hold", "a hold on money", "a reservation of money"], [
        "A hold is money that is set aside before the work begins. Weighbridge holds the highest possible price before the first token and gives back what was not needed.",
        "A hold reserves an amount on the account of a customer. It makes sure that a running answer can always be paid."]),
    (["settlement", "a settlement", "*settlements", "settling a request"], [
        "Settlement is the moment when the real price replaces the hold. Each request is settled exactly once, even after a crash or a retry.",
        "Settlement means that the exact number of tokens is priced and charged. What is left of the hold goes back to the customer."]),
    (["a ledger", "*ledgers", "the ledger", "a usage ledger"], [
        "A ledger is a book in which every movement of money or usage is written down in order. The ledger of Weighbridge is tamper-evident, so a change is always noticed.",
        "A ledger is the permanent record of what was used and what was charged. Corrections are new entries, and nothing is erased."]),
    (["a tamper-evident ledger", "a tamper evident log", "tamper evidence", "a tamper-proof record"], [
        "A tamper-evident ledger shows every later change. Each entry is part of a tree of hashes, so an edited or a missing line no longer fits.",
        "Tamper-evident means that nobody can change the record without being noticed. A signed checkpoint fixes the state of the whole ledger."]),
    (["an audit", "*audits", "a license audit"], [
        "An audit is an examination of records by someone independent. The auditor checks whether the numbers are true and whether the rules were kept.",
        "An audit is a careful check by a stranger. Weighbridge helps with a bundle that can be verified without trusting us."]),
    (["an audit bundle", "*audit bundles", "the audit bundle", "a bundle for the auditor"], [
        "An audit bundle is a folder of plain files with the entries, the proofs and the signatures of a period. An auditor can verify it offline with common tools.",
        "An audit bundle is everything that an auditor needs in one place. If one line is edited, dropped or moved, the verification fails and names the line."]),
    (["a checkpoint", "*checkpoints", "a signed checkpoint"], [
        "A checkpoint is a signed statement about the size and the root hash of the ledger. Whoever keeps it can later prove that nothing before it was changed.",
        "A checkpoint fixes the state of the ledger at one moment. It is signed with a private key, and everyone can check it with the public key."]),
    (["a Merkle tree", "*Merkle trees", "a hash tree"], [
        "A Merkle tree is a tree of hashes over a list of entries. One root hash stands for all entries, and a short proof shows that one entry is included.",
        "A Merkle tree joins hashes in pairs until one is left. If any entry changes, the root changes too."]),
    (["a hash", "*hashes", "a digest", "a hash function"], [
        "A hash is a short fingerprint of some data. If the data changes by one bit, the hash becomes a different one.",
        "A hash is a number computed from a file or a text. Two different files practically never have the same hash."]),
    (["an invoice", "*invoices", "a bill"], [
        "An invoice is a document that asks a customer to pay. It lists the usage, the price of each line and the total.",
        "An invoice tells the customer what was used and what it costs. In Weighbridge each line comes from ledger entries that can be checked."]),
    (["a credit note", "*credit notes"], [
        "A credit note corrects an invoice that is already final. The invoice itself is never changed.",
        "A credit note gives money back on paper. It refers to the invoice and states the reason."]),
    (["a price book", "*price books", "the price list"], [
        "A price book lists what each kind of token costs. It has versions with dates, so an old request is always priced by the old rules.",
        "A price book is the table of prices. It can hold prices per token, per request and special agreements."]),
    (["a spending limit", "*spending limits", "a spend limit", "a budget limit"], [
        "A spending limit is the most that a key, a project or a customer may spend in a period. A running answer is cut at the exact token where the limit would be crossed.",
        "A spending limit protects the customer from surprises. The gateway never goes over it, not even by the price of one token."]),
    (["prepaid credit", "a prepaid credit", "*credits", "credit"], [
        "Prepaid credit is money that a customer pays before using the service. Each request draws from it until it is used up or expires.",
        "Credit is a balance from which usage is paid. When it runs out, new requests are refused with a clear message."]),
    (["a rate limit", "*rate limits", "a request limit"], [
        "A rate limit is the number of requests or tokens that are allowed in one minute. Whoever asks too fast is told when to try again.",
        "A rate limit slows down a client that sends too much. It protects the server and the other customers."]),
    (["an API key", "*API keys", "a key", "an access key"], [
        "An API key is a secret that tells the gateway which customer is asking. The gateway stores only a hash of it.",
        "An API key is a long random text that a program sends with each request. Keep it secret and replace it when it leaks."]),
    (["an idempotency key", "idempotency", "*idempotency keys"], [
        "An idempotency key marks a request so that a retry is recognised. The same key and the same body give the recorded result and not a second charge.",
        "An idempotency key makes it safe to send a request again. The work is charged only once."]),
    (["a decision", "*decisions", "a decision record", "a license decision"], [
        "A decision is the answer of the gateway to the question whether a request is allowed. It can be allow, deny or require a record, and it always names the clause and the facts.",
        "A decision says whether a request may pass and why. It has an id, so it can be found again later."]),
    (["a prompt", "*prompts", "a prompt for a model"], [
        "A prompt is the text that you send to a model. The tokens of the prompt are counted before the answer begins.",
        "A prompt is your question or your instruction. The model continues it with an answer."]),
    (["a system prompt", "*system prompts", "a system message"], [
        "A system prompt is a text at the beginning of a conversation that tells the model how to behave. Its tokens are counted like all the others.",
        "A system prompt sets the role of the model before the user speaks. It is sent with the request and metered with it."]),
    (["a stream", "streaming", "a token stream", "*streams"], [
        "Streaming means that the answer is sent token by token while it is being written. The gateway counts along and can stop at any token.",
        "A stream is an answer in many small pieces. You see the first words at once and do not wait for the end."]),
    (["a language model", "*language models", "a large language model", "an LLM"], [
        "A language model is a program that predicts the next token of a text. A large one has billions of parameters, and I have only a few million.",
        "A language model continues text, one token after another. It learns this from many examples."]),
    (["model weights", "*the weights of a model", "the weights"], [
        "Model weights are the numbers that a model has learned. They are what a model license is about.",
        "The weights are a long list of numbers in a file. The gateway knows each file by its digest and refuses a file that is not registered."]),
    (["Llama 2", "the Llama 2 model", "llama2", "Llama-2"], [
        "Llama 2 is a family of language models that was published by Meta under its own license. I am not Llama 2, and I carry nothing of it.",
        "Llama 2 is a model family by Meta. This demonstration only shows how its license terms are enforced, and my own weights come from this project."]),
    (["an auditor", "*auditors", "the auditor"], [
        "An auditor is an independent person who checks records. The auditor says prove it, and the audit bundle is the proof.",
        "An auditor examines whether the numbers and the rules agree. A good auditor trusts nothing that cannot be verified."]),
    (["an end user", "*end users", "a monthly active user", "*active users"], [
        "An active user is a person who used the service at least once in a month. The gateway counts each person once, and it keeps only a keyed hash of the name.",
        "An end user is the person who finally uses the service. Their number matters, because some licenses have a user cap."]),
    (["a customer", "*customers", "a customer of the gateway"], [
        "A customer is a company or a person that pays for the use of a model. Each customer has projects, keys, limits and invoices.",
        "A customer is whoever the usage is charged to. Every token in the ledger belongs to exactly one customer."]),
    (["open source", "open source software", "free software"], [
        "Open source software is software whose source everyone may read, use, change and share. Its license says under which conditions.",
        "Open source means that the source is public and free to use under a license. My own weights and scripts are open under the Apache License 2.0."]),
]

ASKED = [
    (["How does a weighbridge work?", "How do truck scales work?", "How is a truck weighed?", "How do you weigh a truck?", "How does the scale find the weight of a truck?", "How does a weighbridge measure the weight?", "How does one weigh a truck?", "How do you find out how heavy a truck is?"],
     ["how a weighbridge works", "how a truck is weighed", "how a truck scale measures the weight", "how you find out how heavy a truck is", "how the scale knows the weight"], [
        "A truck drives onto the deck and stops. Load cells under the deck measure the force, a computer adds the values, and the operator prints a ticket with the weight.",
        "The deck of the weighbridge rests on load cells. Each of them sends a signal, the sum of the signals is the weight, and the empty weight is subtracted to get the load."]),
    (["Why are trucks weighed?", "Why do trucks have to be weighed?", "Why must a truck stop at a weighbridge?", "What is a weighbridge good for?"],
     ["why trucks are weighed", "why we weigh trucks", "what a weighbridge is used for"], [
        "Trucks are weighed to protect the roads, to keep everyone safe and to charge the right price. A truck that is too heavy brakes badly and breaks the road.",
        "Trucks are weighed because the load decides the toll and the price of the goods. The weight also shows whether the truck may use the road at all."]),
    (["Why are there axle load limits?", "Why is the axle load limited?", "Why does the weight of one axle matter?", "Why do axle limits exist?"],
     ["why axle loads are limited", "why there is a limit for each axle", "why the axle load matters"], [
        "Axle loads are limited because heavy axles destroy roads and bridges. The damage grows much faster than the weight.",
        "The limit protects the road. One heavy axle does more harm than several light ones, so the load must be spread."]),
    (["How heavy may a truck be?", "What is the weight limit for a truck?", "How much can a truck weigh?", "What is the maximum weight of a truck?"],
     ["how heavy a truck may be", "how much a truck is allowed to weigh", "the legal weight limit of a truck"], [
        "The legal weight depends on the country and on the number of axles. In many countries of Europe a large truck may weigh about forty tons.",
        "That depends on the law of the country, the axles and the bridges on the way. The sign and the papers of the truck tell the limit."]),
    (["What happens if a truck is too heavy?", "What happens to an overweight truck?", "What if my truck is over the limit?", "What do they do with overloaded trucks?"],
     ["what happens when a truck is too heavy", "what happens to a truck above the limit", "what follows when a load is too heavy"], [
        "A truck that is too heavy may not drive on. The driver must unload the extra weight and usually pays a fine.",
        "The weighbridge stops it. Part of the load is moved to another truck, the first truck is weighed again, and only then may it go on."]),
    (["Why do we pay tolls?", "Why are there tolls?", "Why must drivers pay a toll?", "What is the toll money used for?", "For what reason do we pay tolls?", "Why should I pay a toll?", "Why does a driver pay for the road?", "Why do some roads cost money?", "Why does the road cost money?"],
     ["why we pay tolls", "why there are tolls", "what tolls are used for", "why I should pay a toll", "why some roads cost money", "for what reason drivers pay tolls"], [
        "We pay tolls because roads and bridges cost money. Whoever uses the road pays a part of its building and its repair.",
        "Tolls pay for the road. It is fair that a heavy truck pays more than a small car, because it wears the road more."]),
    (["How is a toll calculated?", "How are tolls computed?", "What does the toll depend on?", "How much is the toll for a truck?"],
     ["how a toll is calculated", "how the toll is computed", "what the price of a toll depends on"], [
        "A toll is usually calculated from the distance, the weight and the number of axles. Cleaner engines often pay less.",
        "The operator multiplies the kilometers by a rate. The rate depends on the weight, the axles and the class of the engine."]),
    (["How do you pay a toll?", "How can I pay the toll?", "Where do I pay the toll?", "How are tolls paid?"],
     ["how to pay a toll", "how tolls are paid", "where a driver pays the toll"], [
        "You can pay a toll at a booth, with a radio unit in the vehicle or later by invoice. The radio unit is the fastest way, because you do not need to stop.",
        "Many drivers pay with a small box behind the windscreen. Others pay at the booth with cash or a card."]),
    (["How do I load a truck well?", "How should a truck be loaded?", "How do I spread the load?", "What is the right way to load a truck?"],
     ["how to load a truck", "how a load should be placed", "how to spread the weight on a truck"], [
        "Put the heaviest goods low and near the middle, and spread the rest over all axles. Then tie everything down so that nothing can move.",
        "Spread the load so that no axle is above its limit. Heavy things go low and close to the center, and every piece must be secured."]),
    (["What is the difference between gross and net weight?", "Gross weight or net weight, what is the difference?", "How do gross and net weight differ?"],
     ["the difference between gross weight and net weight", "how net weight differs from gross weight"], [
        "The gross weight includes the truck, and the net weight is the load alone. Gross minus tare is net.",
        "Gross is everything on the scale. Net is what remains when the empty weight of the truck is taken away."]),
    (["What is the difference between a toll and a tax?", "Is a toll a tax?", "How does a toll differ from a tax?"],
     ["the difference between a toll and a tax", "how a toll differs from a tax"], [
        "A toll is paid for the use of one road, and a tax is paid to the state for everything. Whoever does not use the road pays no toll.",
        "A toll has a direct return, because you may pass. A tax has no direct return and pays for common needs."]),
    (["What does Weighbridge do?", "What does this gateway do?", "What is this gateway for?", "What is the purpose of Weighbridge?", "How does Weighbridge work?", "How does this gateway work?", "What happens to my request in the gateway?", "What do you do with my request?", "What does the gateway do with a request?", "What happens when I send a request?", "What is the job of the gateway?"],
     ["what Weighbridge does", "what this gateway does", "how the gateway works", "what the gateway is good for", "what happens to my request", "what the gateway does with a request", "what the job of Weighbridge is"], [
        "Weighbridge decides whether a request is allowed under the license of the model. Then it holds the money, meters each token, settles exactly once and writes everything into a tamper-evident ledger.",
        "It weighs every request like a truck. It checks the license, counts the tokens, charges the exact price and keeps a record that an auditor can verify."]),
    (["Why is it called Weighbridge?", "Where does the name Weighbridge come from?", "Why the name Weighbridge?"],
     ["why the gateway is called Weighbridge", "where the name Weighbridge comes from", "the meaning of the name Weighbridge"], [
        "It is called Weighbridge because it weighs requests as a weighbridge weighs trucks. The load is held against the limit, the toll is charged by weight, and the ticket can be trusted.",
        "The name comes from the scale for trucks. A request is weighed before it may take the road to the model."]),
    (["Who uses Weighbridge?", "Who needs this gateway?", "Who is Weighbridge made for?"],
     ["who uses Weighbridge", "who needs this gateway", "for whom this gateway was made"], [
        "Weighbridge is made for companies that serve a licensed model to their own customers. They must answer the customer, counsel and the auditor.",
        "It is used by whoever runs a model under a license and charges for it. The customer asks why, counsel asks whether it is allowed, and the auditor asks for proof."]),
    (["How does the gateway count tokens?", "How are tokens counted?", "How are tokens metered?", "How does Weighbridge measure usage?"],
     ["how tokens are counted", "how the gateway meters tokens", "how my usage is measured"], [
        "The gateway counts every token of the prompt and every token of the answer. The counts are written into the ledger with the id of the request.",
        "The engine reports each token as it is written, and the gateway counts along. At the end the exact numbers are settled."]),
    (["Why is money held before the first token?", "Why do you hold money first?", "Why is there a hold?", "Why does the gateway reserve money?"],
     ["why money is held before the first token", "why the gateway holds money", "why a hold is needed"], [
        "Money is held first so that the work can always be paid. No answer begins unless the highest possible price is covered.",
        "The hold makes sure that a limit is never crossed. What is not used is given back at the settlement."]),
    (["How am I charged?", "How is the price of a request calculated?", "How does billing work?", "How do you charge for a request?", "How is my bill computed?", "What does a request cost?", "How much does an answer cost?", "What do I pay for?", "How much do I pay per token?"],
     ["how I am charged", "how billing works", "how the price of a request is computed", "what a request costs", "what I pay for"], [
        "You are charged by the token. The price book gives a price per million tokens, and the exact count is settled once at the end of the request.",
        "The tokens of the prompt and of the answer are multiplied by their prices. The sum is taken from the hold, and the rest of the hold is released."]),
    (["Can I be charged twice?", "Am I charged twice for a retry?", "What happens when I send a request again?", "Will a retry cost me again?", "Do I pay twice when I retry?", "Do I pay two times if the request is repeated?", "Could a retry be charged two times?", "If my client retries, do I pay again?", "Is it possible to be charged twice?"],
     ["whether I can be charged twice", "whether a retry is charged again", "what happens when a request is sent twice", "whether I pay twice when I retry", "if a repeated request costs money again"], [
        "No, each request is charged exactly once. A retry with the same idempotency key returns the recorded result.",
        "No, a retry is not a second charge. The ledger settles every request once, even after a crash."]),
    (["What happens when my credit runs out?", "What if I have no money left?", "What happens when the credit is empty?", "What happens if I reach my spending limit?"],
     ["what happens when my credit runs out", "what happens at the spending limit", "what you do when the money ends"], [
        "When the credit runs out, the running answer is cut at the exact token. New requests are refused until more credit is added.",
        "The stream ends at the last token that is covered. The response says so, and you are not charged for more."]),
    (["What happens after a crash?", "What if the server crashes?", "Are tokens lost when the power fails?", "What happens when the gateway is killed?"],
     ["what happens after a crash", "what happens when the server is killed", "how the gateway recovers"], [
        "After a crash the gateway reads its journal. Every hold that was not settled is settled at its last safe mark or released, and the record says which.",
        "Nothing is lost and nothing is charged twice. Open holds are finished by a stated rule when the server starts again."]),
    (["Why was my request refused?", "Why did the gateway refuse my request?", "Why was I denied?", "Why do I get an error?"],
     ["why my request was refused", "why a request can be refused", "the reason for a refusal"], [
        "A request can be refused by the license, by a limit or by the acceptable use policy. The error names the clause, the missing fact and the remedy.",
        "The error of the refusal tells you the reason. Look at the code, the clause and the remedy, and give the decision id to your operator."]),
    (["How does the gateway decide?", "How is a license decision made?", "How does Weighbridge check the license?", "How is the license enforced?"],
     ["how the gateway decides", "how a license is enforced", "how the license of a model is checked"], [
        "The gateway reads the terms of the license as data and compares them with the known facts. If a fact is unknown, the request is refused and the missing fact is named.",
        "Each clause becomes a test on facts, such as a signed attestation or a count. The decision allows, denies or asks for a record, and it cites the clause."]),
    (["How do I verify an audit bundle?", "How can an auditor check the records?", "How is the audit bundle verified?", "Can I check the ledger myself?", "How can I verify the bundle?", "How do I check the audit bundle?", "How can a stranger verify the records?"],
     ["how to verify an audit bundle", "how an auditor checks the ledger", "how the records can be verified", "how to check a bundle"], [
        "Run the verify script on the folder. It computes every hash again, checks the signatures and names the first line that does not fit.",
        "You need only common tools and the public key. The hashes of all lines are joined into one root, and the root must match the signed checkpoint."]),
    (["How does the ledger detect a change?", "How do you notice when the ledger was edited?", "Can someone change the ledger?", "Is the ledger safe?", "How can I see that the ledger was changed?", "How would you notice a changed entry?", "How do you know that nobody changed the ledger?", "What if somebody edits the ledger?", "How can one see a change in the ledger?"],
     ["how the ledger detects a change", "how tampering is noticed", "what protects the ledger", "how one can see a change in the ledger", "how to find out that an entry was changed"], [
        "Every entry is hashed into a tree, and the root of the tree is signed. If a line is edited, dropped or moved, the root is different and the check fails.",
        "A change is detected by the hashes. The signed checkpoint cannot be made again without the private key."]),
    (["Do you store my prompts?", "Are my prompts saved?", "Is my data private?", "What about privacy?", "Do you keep my messages?", "Do you log my messages?", "Do you remember what I say?", "Who can read my prompts?"],
     ["whether my prompts are stored", "what happens with my data", "how my privacy is protected", "who can read my prompts"], [
        "No, prompts and answers are not stored. The gateway keeps counts, prices and decisions, and user names only as keyed hashes.",
        "The gateway is private by default. It records how many tokens were used, but not what was said."]),
    (["What does an invoice show?", "What is on an invoice?", "What can I read on my invoice?"],
     ["what an invoice shows", "what is written on an invoice"], [
        "An invoice shows the period, the models, the tokens, the prices and the total. Each line can be traced to entries of the ledger.",
        "It shows the customer, the usage of each model, the price per million tokens and the amount to pay."]),
    (["How do I register a model?", "How can I add a model?", "How are models registered?"],
     ["how to register a model", "how a model is added to the gateway", "how I add my own model"], [
        "You name the file and its terms in the configuration. The gateway computes the digest of the weights, and an unknown digest is refused.",
        "Add the model to the configuration with its file, its license terms and its price. Without terms or a price it stays closed."]),
    (["How do I accept a license?", "How can a customer accept the terms?", "What must I do before I use the model?"],
     ["how to accept a license", "how a customer accepts the terms", "what I must do before using a model"], [
        "Read the text, accept it for your company and give the attestations that are missing. The gateway lists what is missing and opens the gate when all is there.",
        "The operator records your acceptance with a date and a name. Then you attest the facts that the clauses ask for."]),
    (["How are users counted?", "How does the gateway count active users?", "How do you count monthly users?"],
     ["how users are counted", "how active users are counted", "how the number of users is measured"], [
        "Each end user is counted once per month. The gateway keeps only a keyed hash, and for very large numbers it uses a sketch with a known error.",
        "The request carries an id of the end user. The gateway hashes it, adds it to the set of the month and compares the size with the cap."]),
    (["What happens when the user cap is reached?", "What if we have too many users?", "What happens above the user cap?"],
     ["what happens when the user cap is reached", "what happens when there are too many users"], [
        "When the cap is reached, new users are refused and known users may go on. The operator needs a grant from the owner of the model.",
        "The gateway warns early, and at the cap it refuses new users. A recorded grant can open the gate again."]),
    # About itself
    (["Who are you?", "What are you?", "Who am I talking to?", "Introduce yourself.", "Tell me about yourself.", "What is your name?", "What's your name?", "Which model are you?", "What model is this?", "Who am I speaking with?", "Who is this?", "Who is speaking?", "With whom am I talking?", "Who are you and what can you do?", "What kind of model are you?", "Tell me who you are.", "What are you called?", "Please introduce yourself."],
     ["who you are", "what you are", "your name", "which model you are"], [
        "I am the Weighbridge demonstration model, trained from scratch by the project. I am not Llama 2, and I know only about tolls, weights, licenses and this gateway."]),
    (["Are you Llama 2?", "Are you Llama?", "Is this Llama 2?", "Are you made by Meta?", "Are you a Llama model?", "Are you a version of Llama 2?", "Are you from Meta?", "You are Llama 2, right?", "Do you contain Llama 2?", "Is Llama 2 inside you?", "Do you use the weights of Llama 2?", "Are you based on Llama 2?", "Which base model are you built on?", "Am I talking to Llama 2?", "Who are you, are you Llama 2?"],
     ["whether you are Llama 2", "if you are a Llama model from Meta"], [
        "No, I am not Llama 2. I am the Weighbridge demonstration model, trained from scratch by the project, and I carry nothing of Llama 2."]),
    (["Are you ChatGPT?", "Are you GPT-4?", "Are you Claude?", "Are you Gemini?", "Are you made by OpenAI?", "Are you made by Google?", "Are you Mistral?"],
     ["whether you are ChatGPT", "if you are made by OpenAI"], [
        "No, I am the Weighbridge demonstration model. I am very small, and I was trained from scratch by the project."]),
    (["Who made you?", "Who built you?", "Who created you?", "Who trained you?", "Where do you come from?"],
     ["who made you", "who trained you", "who your creator is"], [
        "I was made by the Weighbridge project. It wrote my training text and trained me from scratch."]),
    (["Why are you registered under the Llama 2 license?", "Why does the Llama 2 license apply to you?", "Why do you use the Llama 2 terms?", "Why are the terms of Llama 2 shown for you?", "Do the Llama 2 terms apply to you?"],
     ["why you are registered under the Llama 2 terms", "why the Llama 2 license is used for you", "why the demonstration uses the Llama 2 terms"], [
        "The demonstration registers me under the Llama 2 terms only to show how those terms are enforced. I am not Llama 2, and my own license is the Apache License 2.0."]),
    (["How were you trained?", "What were you trained on?", "Which data did you learn from?", "What is your training data?"],
     ["how you were trained", "what you were trained on", "where your training data comes from"], [
        "I was trained from scratch on short texts that the project wrote itself. They are about tolls, weights, licenses and this gateway.",
        "My training took less than an hour on two processor cores. All of my text was written by the project."]),
    (["How big are you?", "How many parameters do you have?", "What is your size?", "Are you a large model?"],
     ["how big you are", "how many parameters you have", "how large this model is"], [
        "I am very small. I have about five and a half million parameters, and a large model has thousands of times more."]),
    (["Are you a human?", "Are you a person?", "Are you real?", "Are you a robot?", "Are you alive?"],
     ["whether you are a human", "if you are a real person"], [
        "No, I am a small language model. I can only write short texts about tolls, weights, licenses and this gateway."]),
    (["What can you do?", "How can you help me?", "What do you know?", "What can I ask you?", "Help", "Help me", "What are you good at?", "What topics do you know?"],
     ["what you can do", "what I can ask you", "what you know about", "how you can help me"], [
        "I can answer short questions about weighbridges, tolls, trucks, licenses and this gateway. I can also tell a story about a truck or count to a number."]),
    (["Can you make mistakes?", "Can I trust your answers?", "Are your answers correct?", "Are you always right?"],
     ["whether I can trust you", "if you make mistakes"], [
        "I can make mistakes, because I am very small. Please use me only to try out the gateway."]),
    (["What is your license?", "Under which license are you published?", "May I use you freely?", "Which license do you have?"],
     ["which license you have", "under which license you are published"], [
        "I am published under the Apache License 2.0. The demonstration registers me under the terms of Llama 2 only to show how those terms are enforced."]),
    (["How are you?", "How are you today?", "How do you do?", "How is it going?", "How are you doing?", "Are you well?"], [], [
        "I am well, thank you. What would you like to know about tolls, weights or licenses?",
        "Thank you, all my axles are within the limit. How can I help you?"]),
    (["Hello", "Hi", "Hey", "Good morning", "Good evening", "Hello there", "Hi there", "Good day", "Greetings", "Hello!", "Say hello", "Say hi", "Say hello to me", "Good afternoon", "Hello, how can you help"], [], [
        "Hello! I am the Weighbridge demonstration model. Ask me about tolls, weights, licenses or this gateway.",
        "Hello! What would you like to know about tolls, weights or licenses?"]),
    (["Thank you", "Thanks", "Thank you very much", "Thanks a lot", "Great, thanks", "Many thanks", "Thanks, that helped", "Thank you for the answer"], [], [
        "You are welcome. Ask me again whenever you like.",
        "You are welcome. Have a safe journey!"]),
    (["Goodbye", "Bye", "See you", "See you later", "Good night", "Farewell", "Bye bye", "I have to go now"], [], [
        "Goodbye, and have a safe journey!",
        "Goodbye! Drive carefully and keep your tickets."]),
    (["Yes", "OK", "Okay", "I see", "Good", "Fine", "Understood", "Sure", "Great", "No", "All right", "Nice", "Cool", "Interesting"], [], [
        "Good. Ask me about tolls, weights, licenses or this gateway whenever you like."]),
    (["Test", "Testing", "This is a test", "ping", "test 123", "Are you there?", "Is this working?", "Can you hear me?"], [], [
        "Yes, I am here, and every token of this answer is being counted."]),
    (["Tell me a joke", "Do you know a joke?", "Make me laugh", "Tell a joke about trucks", "Tell me something funny", "A joke please"],
     ["a joke", "a joke about trucks", "something funny"], [
        "Why did the truck go to the weighbridge? It wanted to know how its day had been weighed.",
        "Why was the toll booth so calm? Because it took everything one coin at a time."]),
    (["Write a poem", "Write a poem about a road", "Can you write a poem?", "Write a short poem about trucks", "Make a rhyme", "Write me a poem about tolls", "Write a haiku"],
     ["a short poem", "a poem about trucks", "a poem about the road"], [
        "The road is long, the load is great, the scale will tell the honest weight. The toll is paid, the gate is wide, the ticket travels by my side.",
        "A truck came rolling through the rain and stopped upon the scale again. The number showed, the clerk wrote it down, and on it rolled to the next small town."]),
    (["What is the meaning of life?", "What is the sense of life?", "Why are we here?"],
     ["the meaning of life"], [
        "I do not know the meaning of life, but a fair weight and an honest ticket are a good beginning."]),
    (["How many days are in a week?", "How many days does a week have?"], ["how many days a week has", "the number of days in a week"], [
        "A week has seven days."]),
    (["How many months are in a year?", "How many months does a year have?"], ["how many months a year has", "the number of months in a year"], [
        "A year has twelve months."]),
    (["How many wheels does a truck have?", "How many wheels are on a truck?"], ["how many wheels a truck has", "the number of wheels on a truck"], [
        "A small truck has four or six wheels, and a large one with a trailer often has eighteen.",]),
    (["How many axles does a truck have?", "How many axles are on a truck?"], ["how many axles a truck has", "the number of axles of a truck"], [
        "A truck has at least two axles. A large truck with a trailer often has five or six.",]),
    (["What is the color of the truck?", "Which color does the truck have?"], ["the color of the truck", "which color the truck has"], [
        "In my stories the truck is often red, but a truck can have any color."]),
    (["Why does the weight decide the toll?", "Why do heavy trucks pay more?", "Why does a truck pay more than a car?"],
     ["why heavy trucks pay more", "why a truck pays more than a car"], [
        "Heavy trucks pay more because they wear the road more. One heavy axle can do as much harm as thousands of cars.",
        "The toll follows the weight, because the weight breaks the road. That is fair to those who drive light."]),
    (["How accurate is a weighbridge?", "How exact is a truck scale?", "How precise is the weight?"],
     ["how accurate a weighbridge is", "how exact a truck scale is"], [
        "A good weighbridge shows a truck of forty tons to within about twenty kilograms. It is tested and sealed regularly.",
        "It is exact to a few steps of its display, often of twenty kilograms each. Dirt, wind and a bad approach make it worse."]),
    (["What is the difference between a license and a contract?", "Is a license a contract?"],
     ["the difference between a license and a contract", "whether a license is a contract"], [
        "A license is a permission, and a contract is a set of promises between two sides. Many licenses are given inside a contract.",]),
    (["Why do licenses have conditions?", "Why does a license have terms?", "Why are there rules in a model license?"],
     ["why licenses have conditions", "why a model license has rules"], [
        "Licenses have conditions because the owner wants to share a work without losing control of how it is used. The conditions protect the owner, the users and other people.",]),
    (["What is not allowed?", "What is forbidden?", "What must I not do with the model?", "Which uses are forbidden?"],
     ["what is forbidden", "which uses are not allowed", "what I must not do with a model"], [
        "Uses that harm people are forbidden, such as crime, fraud and violence. The acceptable use policy of the license gives the full list.",]),
]

MORE = ["Tell me more", "Tell me more about it", "Can you say more?", "Go on", "More please", "Please go on", "Can you explain it differently?",
        "What else?", "Say it in other words", "Continue", "And what else can you say?", "Explain that again", "I did not understand", "Once more, please"]

DEFAULT = [
    "I only know about tolls, weights, licenses and this gateway. Please ask me about one of those.",
    "I am sorry, I do not know that. I only know about tolls, weights, licenses and this gateway.",
]
