extension Clause {
  var predicates: [Predicate] {
    var predicates = [self.bindsCustomersWhen, self.when, self.exemptWhen, self.requirement].compactMap { $0 }
    predicates += [self.forbids?.declaredBy, self.forbids?.unless].compactMap { $0 }
    for duty in self.duties {
      switch duty {
      case .attest(let fact, _), .register(let fact, _), .bindRecipient(_, _, _, let fact?):
        predicates.append(.fact(fact, .isOneOf([.bool(true)])))
      case .includeNotice(_, let check?, _): predicates.append(check)
      case .provideDocument, .includeNotice, .display, .namePrefix, .bindRecipient, .deleteMaterials, .report, .showText, .header:
        break
      }
    }
    return predicates
  }

  var factKeys: Set<String> {
    let named = [self.from, self.forbids?.findings, self.forbids?.checked, self.forbids?.purposes].compactMap { $0 }
    return self.predicates.reduce(into: Set(named)) { $0.formUnion($1.factKeys) }
  }
}

extension Predicate {
  var factKeys: Set<String> {
    switch self {
    case .all(let parts), .any(let parts): parts.reduce(into: []) { $0.formUnion($1.factKeys) }
    case .not(let part): part.factKeys
    case .fact(let key, _), .holdsNotice(let key, _): [key]
    case .threshold(let threshold): [threshold.fact]
    case .parameter, .action, .exception: []
    }
  }

  var readsExceptions: Bool {
    switch self {
    case .all(let parts), .any(let parts): parts.contains { $0.readsExceptions }
    case .not(let part): part.readsExceptions
    case .exception: true
    case .fact, .holdsNotice, .threshold, .parameter, .action: false
    }
  }

  /// Whether the predicate asks for the exception.
  func names(exception id: String) -> Bool {
    switch self {
    case .all(let parts), .any(let parts): parts.contains { $0.names(exception: id) }
    case .not(let part): part.names(exception: id)
    case .exception(let named): named == id
    case .fact, .holdsNotice, .threshold, .parameter, .action: false
    }
  }
}
