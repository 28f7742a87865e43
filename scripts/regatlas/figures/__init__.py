"""The study's figures, one module each; ``style`` holds what they share. None of them imports TensorFlow."""
