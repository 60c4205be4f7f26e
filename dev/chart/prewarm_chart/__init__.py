"""What the Helm chart is made from: the model of its values, and the files that are written from it."""
