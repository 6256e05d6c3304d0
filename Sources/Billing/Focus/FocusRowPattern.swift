internal import GovernanceTypes

/// What rows of one day have in common for a price, a model and a category, as the bytes that stand between the cells that differ: most
/// of the 60 columns are the same in thousands of rows.
struct FocusRowPattern {
  /// What makes rows of a day and a category alike.
  struct Key: Hashable {
    let price: PriceID
    let model: ModelID
    let hasProject: Bool

    init(_ group: FocusGroup) {
      self.price = group.price
      self.model = group.model
      self.hasProject = group.project != nil
    }
  }

  private var pieces: [(bytes: [UInt8], cell: FocusColumn)] = []
  private var end: [UInt8] = []

  /// - Parameter row: any row of the day, the key and the category.
  init(of row: FocusRow) {
    var bytes: [UInt8] = []
    for column in FocusColumn.allCases {
      if column != FocusColumn.allCases.first { bytes.append(CSVText.separator) }
      if column.differsAmongAlike {
        self.pieces.append((bytes, column))
        bytes = []
      } else {
        row.value(column).append(asCSV: &bytes)
      }
    }
    self.end = bytes + [CSVText.rowEnd]
  }

  /// Writes a row of the same day, key and category. O(bytes).
  func append(_ row: FocusRow, to bytes: inout [UInt8]) {
    for piece in self.pieces {
      bytes.append(contentsOf: piece.bytes)
      row.value(piece.cell).append(asCSV: &bytes)
    }
    bytes.append(contentsOf: self.end)
  }
}

extension FocusColumn {
  /// Whether the cell is of the row itself, and not the same for all rows of its day, ``FocusRowPattern/Key`` and category.
  fileprivate var differsAmongAlike: Bool {
    switch self {
    case .billedCost, .effectiveCost, .pricingCurrencyEffectiveCost, .contractedCost, .listCost, .consumedQuantity,
      .pricingQuantity, .billingAccountId, .subAccountId, .credential, .invoiceId:
      true
    default: false
    }
  }
}
