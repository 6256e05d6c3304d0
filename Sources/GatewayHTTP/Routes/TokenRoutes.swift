internal import Completions
internal import Documents
internal import Governance
internal import Hummingbird
internal import OpenAIWire

extension PublicRoutes {
  /// `POST /tokenize`: the tokens of a prompt.
  func tokenize(_ request: Request) async throws -> Response {
    let read = try await self.read(request)
    let asked = try reading { () throws(DocumentError) in try TokenizeRequest(read.document) }
    let prompt = try await self.gate.measure(CompletionRequest(prompt: asked.prompt), model: asked.model, secret: read.secret)
    guard !prompt.tokens.isEmpty else {
      throw Refusal(
        .invalidRequest, "The model '\(asked.model)' runs elsewhere, so its tokens are not known here.", parameter: "model")
    }
    return jsonResponse([
      "count": .integer(prompt.tokens.count), "max_model_len": .integer(prompt.contextLength),
      "tokens": .array(prompt.tokens.map { .integer(Int($0)) }), "token_strs": nil,
    ])
  }

  /// `POST /detokenize`: the text of tokens.
  func detokenize(_ request: Request) async throws -> Response {
    let read = try await self.read(request)
    let asked = try reading { () throws(DocumentError) in try DetokenizeRequest(read.document) }
    return jsonResponse(["prompt": .string(try await self.gate.text(of: asked.tokens, model: asked.model, secret: read.secret))])
  }
}
